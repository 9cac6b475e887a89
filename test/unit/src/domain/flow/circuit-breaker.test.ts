import { describe, expect, it } from 'vitest';
import { CircuitBreaker } from '../../../../../src/domain/flow/circuit-breaker.js';
import { outcomeOfStatus } from '../../../../../src/domain/delivery-outcome.js';
import { aborted, attempt, delivered, notFound, refused, unavailable } from './breaker-outcomes.js';

const breaker = (random = () => 0.5) => new CircuitBreaker({ random });

function opened(random?: () => number): CircuitBreaker {
  const subject = breaker(random);
  for (let i = 0; i < 10; i++) attempt(subject, refused, 1000);
  expect(subject.state).toBe('open');
  return subject;
}

function halfOpen(): CircuitBreaker {
  const subject = opened();
  subject.probed('reachable', 6000);
  expect(subject.state).toBe('half-open');
  return subject;
}

describe('closed', () => {
  it('lets everything through and wants no probe', () => {
    const subject = breaker();
    expect(subject.allowance()).toBe('all');
    expect(subject.probeDueInMs(0)).toBeUndefined();
    expect(subject.lastReason).toBeUndefined();
  });

  it('stays closed for 9 unreachable outcomes and opens at the 10th', () => {
    const subject = breaker();
    for (let i = 0; i < 9; i++) attempt(subject, i % 2 ? refused : unavailable, i);
    expect(subject.state).toBe('closed');
    attempt(subject, unavailable, 77);
    expect(subject).toMatchObject({ state: 'open', lastReason: 'http_503' });
  });

  it.each([
    ['a delivery', delivered],
    ['a 404', notFound],
    ['a 500', outcomeOfStatus(500, '')],
  ])('starts counting again after %s', (_name, outcome) => {
    const subject = breaker();
    for (let i = 0; i < 9; i++) attempt(subject, refused);
    attempt(subject, outcome);
    expect(subject.lastReason).toBeUndefined();
    for (let i = 0; i < 9; i++) attempt(subject, refused);
    expect(subject.state).toBe('closed');
  });

  it('neither counts an aborted attempt nor starts again for it', () => {
    const subject = breaker();
    for (let i = 0; i < 9; i++) attempt(subject, refused);
    for (let i = 0; i < 20; i++) attempt(subject, aborted);
    expect(subject.state).toBe('closed');
    attempt(subject, refused);
    expect(subject.state).toBe('open');
  });

  it('has a threshold of one when told so', () => {
    const subject = new CircuitBreaker({ threshold: 1, random: () => 0 });
    attempt(subject, refused);
    expect(subject.state).toBe('open');
  });
});

describe('open', () => {
  it('claims nothing', () => {
    expect(opened().allowance()).toBe('none');
  });

  it.each([
    [0, 4000],
    [0.5, 4500],
    [0.999999, 4999.999],
  ])('with random %d probes after %d ms', (random, delay) => {
    const subject = opened(() => random);
    expect(subject.probeDueInMs(1000)).toBeCloseTo(delay);
    expect(subject.probeDueInMs(1000 + delay)).toBeCloseTo(0);
    expect(subject.probeDueInMs(60_000)).toBe(0);
  });

  it('probes again 4 to 5 s after the last probe was due, however long that one hung', () => {
    const subject = opened();
    subject.probed('unreachable', 5500 + 3000);
    expect(subject.state).toBe('open');
    expect(subject.probeDueInMs(8500)).toBe(1500);
    subject.probed('unreachable', 40_000);
    expect(subject.probeDueInMs(40_000)).toBe(0);
  });

  it.each(['reachable', 'unsupported'] as const)('goes half-open when the probe says %s', (result) => {
    const subject = opened();
    subject.probed(result, 5500);
    expect(subject).toMatchObject({ state: 'half-open', lastReason: 'connection_refused' });
    expect(subject.allowance()).toBe('one');
    expect(subject.probeDueInMs(5500)).toBeUndefined();
  });

  it('is moved by no attempt, whenever that began', () => {
    const subject = breaker();
    const before = subject.begin();
    for (let i = 0; i < 10; i++) attempt(subject, refused);
    const during = subject.begin();
    for (const each of [before, during]) subject.record(each, delivered, 10);
    expect(subject.state).toBe('open');
    expect(subject.allowance()).toBe('none');
  });
});

describe('half-open', () => {
  it('closes without a trial when there is none to be had and /health said reachable', () => {
    const subject = halfOpen();
    subject.nothingToTry();
    expect(subject).toMatchObject({ state: 'closed', lastReason: undefined });
  });

  it.each(['unsupported', 'unhealthy'] as const)('wants a trial all the same when the probe said %s', (result) => {
    const subject = opened();
    for (let probe = 0; probe < 6; probe++) subject.probed(result, 6_000);
    expect(subject.state).toBe('half-open');
    subject.nothingToTry();
    expect(subject.state).toBe('half-open');
  });

  it('waits for a trial that is in flight', () => {
    const subject = halfOpen();
    subject.begin();
    subject.nothingToTry();
    expect(subject.state).toBe('half-open');
  });

  it('allows one trial at a time', () => {
    const subject = halfOpen();
    expect(subject.allowance()).toBe('one');
    subject.begin();
    expect(subject.allowance()).toBe('none');
  });

  it.each([
    ['delivered', delivered],
    ['answered 404', notFound],
  ])('closes when the trial is %s', (_name, outcome) => {
    const subject = halfOpen();
    attempt(subject, outcome, 7000);
    expect(subject).toMatchObject({ state: 'closed', lastReason: undefined });
    expect(subject.allowance()).toBe('all');
    for (let i = 0; i < 9; i++) attempt(subject, refused, 8000);
    expect(subject.state).toBe('closed');
  });

  it('opens again when the trial is unreachable, still the same outage', () => {
    const subject = halfOpen();
    attempt(subject, unavailable, 7000);
    expect(subject).toMatchObject({ state: 'open', lastReason: 'http_503' });
    expect(subject.probeDueInMs(7000)).toBe(4500);
  });

  it('allows another trial when the first was aborted', () => {
    const subject = halfOpen();
    attempt(subject, aborted, 7000);
    expect(subject.state).toBe('half-open');
    expect(subject.allowance()).toBe('one');
  });

  it.each([
    ['delivered', delivered],
    ['unreachable', refused],
    ['aborted', aborted],
  ])('is not moved by an attempt from before that is %s', (_name, outcome) => {
    const subject = breaker();
    const late = subject.begin();
    for (let i = 0; i < 10; i++) attempt(subject, refused);
    subject.probed('reachable', 5000);
    const trial = subject.begin();
    subject.record(late, outcome, 5001);
    expect(subject.state).toBe('half-open');
    expect(subject.allowance()).toBe('none');
    subject.record(trial, delivered, 5002);
    expect(subject.state).toBe('closed');
  });

  it('is not moved by a probe that ends late', () => {
    const subject = halfOpen();
    subject.probed('unreachable', 6001);
    expect(subject.state).toBe('half-open');
  });

  it('does not count attempts from before the outage once closed again', () => {
    const subject = breaker();
    const late = Array.from({ length: 20 }, () => subject.begin());
    for (let i = 0; i < 10; i++) attempt(subject, refused);
    subject.probed('reachable', 5000);
    attempt(subject, delivered, 5001);
    for (const each of late) subject.record(each, refused, 5002);
    expect(subject.state).toBe('closed');
  });
});

describe('a server that calls itself unhealthy', () => {
  it('gets a trial at every sixth such probe, and none before', () => {
    const subject = new CircuitBreaker({ threshold: 1, random: () => 0 });
    subject.record(subject.begin(), refused, 0);
    for (let probe = 1; probe <= 5; probe++) {
      subject.probed('unhealthy', probe * 5_000);
      expect(subject.state).toBe('open');
    }
    subject.probed('unreachable', 30_000);
    for (let probe = 7; probe <= 11; probe++) {
      subject.probed('unhealthy', probe * 5_000);
      expect(subject.state).toBe('open');
    }
    subject.probed('unhealthy', 60_000);
    expect(subject.state).toBe('half-open');
  });
});
