import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CircuitBreaker, type Attempt, type ProbeResult } from '../../../../src/domain/circuit-breaker.js';
import { outcomeOfErrorCode, outcomeOfStatus, type DeliveryOutcome } from '../../../../src/domain/delivery-outcome.js';

const delivered = outcomeOfStatus(200, '');
const notFound = outcomeOfStatus(404, '');
const refused = outcomeOfErrorCode('ECONNREFUSED', '');
const unavailable = outcomeOfStatus(503, '');
const aborted: DeliveryOutcome = { kind: 'aborted' };

const breaker = (random = () => 0.5) => new CircuitBreaker({ random });

function attempt(subject: CircuitBreaker, outcome: DeliveryOutcome, now = 0): void {
  subject.record(subject.begin(), outcome, now);
}

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

/** A worker with a server that comes and goes; each step takes some time. */
type Step =
  | { readonly do: 'begin' }
  | { readonly do: 'end'; readonly which: number; readonly outcome: DeliveryOutcome }
  | { readonly do: 'probe'; readonly result: ProbeResult };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('begin' as const) }),
  fc.record({
    do: fc.constant('end' as const),
    which: fc.nat(),
    outcome: fc.constantFrom(refused, refused, unavailable, delivered, notFound, aborted),
  }),
  fc.record({
    do: fc.constant('probe' as const),
    result: fc.constantFrom<ProbeResult[]>('reachable', 'unhealthy', 'unreachable', 'unsupported'),
  }),
);

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

describe('whatever happens', () => {
  const steps = fc.array(fc.tuple(step, fc.nat({ max: 3000 })), { maxLength: 120 });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  it('claims nothing while open, one while half-open, and wants a probe within 5 s while open', () => {
    fc.assert(
      fc.property(steps, random, (script, chance) => {
        const subject = new CircuitBreaker({ threshold: 3, random: () => chance });
        const inFlight: Attempt[] = [];
        let trials = 0;
        let now = 0;
        for (const [next, elapsed] of script) {
          now += elapsed;
          const before = subject.state;
          if (next.do === 'begin' && subject.allowance() !== 'none') {
            if (before === 'half-open') expect(++trials).toBe(1);
            inFlight.push(subject.begin());
          } else if (next.do === 'end' && inFlight.length > 0) {
            const [ended] = inFlight.splice(next.which % inFlight.length, 1);
            if (ended !== undefined) subject.record(ended, next.outcome, now);
          } else if (next.do === 'probe' && subject.probeDueInMs(now) === 0) subject.probed(next.result, now);
          if (subject.state !== 'half-open' || subject.allowance() === 'one') trials = 0;

          expect(before === 'open' && subject.state === 'closed').toBe(false);
          const due = subject.probeDueInMs(now);
          if (subject.state === 'open') {
            expect(subject.allowance()).toBe('none');
            expect(due).toBeGreaterThanOrEqual(0);
            expect(due).toBeLessThanOrEqual(5000);
          } else expect(due).toBeUndefined();
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('gets back to full rate with one probe and one trial', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const subject = new CircuitBreaker({ threshold: 2, random: () => 0.3 });
        const inFlight: Attempt[] = [];
        for (const [next] of script) {
          if (next.do === 'begin' && subject.allowance() !== 'none') inFlight.push(subject.begin());
          else if (next.do === 'end') inFlight.splice(0, 1).forEach((each) => subject.record(each, next.outcome, 0));
          else if (next.do === 'probe') subject.probed(next.result, 0);
        }
        for (const each of inFlight) subject.record(each, aborted, 0);
        if (subject.state === 'open') subject.probed('reachable', 1);
        if (subject.state === 'half-open') attempt(subject, delivered, 2);
        expect(subject.allowance()).toBe('all');
      }),
      { numRuns: 1000 },
    );
  });
});
