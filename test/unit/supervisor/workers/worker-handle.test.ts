import { VirtualClock } from '../../../support/virtual-clock.js';
import { describe, expect, test } from 'vitest';

import type { WorkerHandle } from '../../../../supervisor/workers/worker-handle.js';
import { handleOf, ScriptedChild } from './scripted-child.js';

function active(): { child: ScriptedChild; clock: VirtualClock; handle: WorkerHandle } {
  const child = new ScriptedChild();
  const clock = new VirtualClock();
  const handle = handleOf(child, clock);
  child.says({ type: 'hello' });
  child.says({ type: 'booted', redisReached: true });
  handle.activate();
  return { child, clock, handle };
}

test('it is configured when it listens, activated when it has booted, and quieted when it says so', () => {
  const child = new ScriptedChild();
  const handle = handleOf(child, new VirtualClock());
  handle.activate();
  expect(child.told).toEqual([]);
  child.says({ type: 'hello' });
  child.says({ type: 'booted', redisReached: true });
  handle.activate();
  handle.quiet();
  expect(handle.stage).toBe('active');
  child.says({ type: 'quieted' });
  expect(handle.stage).toBe('quieted');
  expect(child.told.map(({ type }) => type)).toEqual(['configure', 'activate', 'quiet']);
});

test('messages that are none of ours change nothing', () => {
  const { child, handle } = active();
  for (const nonsense of [null, 7, 'booted', [], { type: 'unknown' }, { type: 'beat', beat: {} }]) child.says(nonsense);
  expect(handle.stage).toBe('active');
  expect(handle.beat).toBeUndefined();
});

test('every name under which it may hold claims is known', () => {
  const { child, handle } = active();
  child.says({ type: 'consumer', consumer: 'the second' });
  expect([...handle.consumers]).toEqual([expect.stringMatching(/^worker-1@.*\.4711\.abc$/), 'the second']);
});

describe('on a host that has no time for it, a process', () => {
  test('boots for as long as it gets some, and not for ever', () => {
    const clock = new VirtualClock();
    const child = new ScriptedChild();
    const handle = handleOf(child, clock);
    for (let cpuMs = 10; cpuMs < 1_000; cpuMs += 10) {
      child.has = { cpuMs, wantsCpu: true, threadWantsCpu: false };
      clock.pass(20_000);
      expect(handle.overdue()).toBeUndefined();
    }
    clock.pass(29_999);
    expect(handle.overdue()).toBeUndefined();
    clock.pass(1);
    expect(handle.overdue()).toBe('did not boot within 30 s');
  });

  test.each([
    { what: '10 ms of CPU time in 20 s', everyMs: 20_000, endsAfterS: 310 },
    { what: '10 ms of CPU time in a second', everyMs: 1_000, endsAfterS: 601 },
  ])('that hangs while it boots, and uses $what, is waited for no longer than minutes', ({ everyMs, endsAfterS }) => {
    const clock = new VirtualClock();
    const child = new ScriptedChild();
    const handle = handleOf(child, clock);
    let seconds = 0;
    while (handle.overdue() === undefined && seconds < 10_000) {
      clock.pass(1_000);
      seconds += 1;
      child.has = { cpuMs: 500 + 10 * Math.floor((seconds * 1_000) / everyMs), wantsCpu: false, threadWantsCpu: false };
    }
    expect(seconds).toBeGreaterThan(300);
    expect(seconds).toBeLessThanOrEqual(endsAfterS);
  });

  test.each(['wantsCpu', 'threadWantsCpu'] as const)('that waits for a core (%s) is given hours', (which) => {
    const clock = new VirtualClock();
    const child = new ScriptedChild();
    const handle = handleOf(child, clock);
    for (let seconds = 0; seconds < 3 * 3_600; seconds += 1) {
      clock.pass(1_000);
      const cpuMs = 10 * Math.floor(seconds / 20);
      child.has = { wantsCpu: false, threadWantsCpu: false, [which]: true, cpuMs };
      expect(handle.overdue()).toBeUndefined();
    }
  });

  test('that turns in circles while it boots ends after a minute of CPU time', () => {
    const child = new ScriptedChild();
    const handle = handleOf(child, new VirtualClock());
    child.has = { cpuMs: 59_990, wantsCpu: true, threadWantsCpu: false };
    expect(handle.overdue()).toBeUndefined();
    child.has = { cpuMs: 60_000, wantsCpu: true, threadWantsCpu: false };
    expect(handle.overdue()).toBe('did not boot within 30 s');
  });

  test.each([
    { what: 'waits for the CPU', usedMs: 0, wantsCpu: true, hangs: false },
    { what: 'is given a little', usedMs: 50, wantsCpu: false, hangs: false },
    { what: 'has had a second of it', usedMs: 1_000, wantsCpu: true, hangs: true },
    { what: 'is stopped', usedMs: 0, wantsCpu: false, hangs: true },
  ])('that is silent at work and $what hangs: $hangs', ({ usedMs, wantsCpu, hangs }) => {
    const { child, clock, handle } = active();
    child.has = { cpuMs: 700, wantsCpu: true, threadWantsCpu: false };
    clock.pass(3_001);
    expect(handle.overdue()).toBeUndefined();
    child.has = { cpuMs: 700 + usedMs, wantsCpu, threadWantsCpu: false };
    clock.pass(6_998);
    expect(handle.overdue()).toBeUndefined();
    clock.pass(1);
    expect(handle.overdue() !== undefined).toBe(hangs);
    if (hangs) return;
    // it was given time, and is looked at again soon
    expect(handle.dueInMs()).toBe(250);
    child.beats();
    child.has = { cpuMs: 10_000, wantsCpu: false, threadWantsCpu: false };
    expect(handle.overdue()).toBeUndefined();
  });
});

describe('a deadline', () => {
  test('ends a boot after 30 s', () => {
    const clock = new VirtualClock();
    const handle = handleOf(new ScriptedChild(), clock);
    clock.pass(29_999);
    expect(handle.overdue()).toBeUndefined();
    clock.pass(1);
    expect(handle.overdue()).toBe('did not boot within 30 s');
  });

  test('ends a worker 10 s after its last beat', () => {
    const { child, clock, handle } = active();
    clock.pass(9_000);
    child.beats();
    clock.pass(9_999);
    expect(handle.overdue()).toBeUndefined();
    expect(handle.dueInMs()).toBe(1);
    clock.pass(1);
    expect(handle.overdue()).toMatch(/no heartbeat for 10 s/);
  });

  test('ends a drain 3 s after its own deadline, and is acted on once', () => {
    const { child, clock, handle } = active();
    handle.drain(25_000);
    expect(child.told.at(-1)).toEqual({ type: 'drain', deadlineMs: 25_000 });
    clock.pass(27_999);
    expect(handle.overdue()).toBeUndefined();
    clock.pass(1);
    expect(handle.overdue()).toBe('did not stop in time');
    handle.killNow('did not stop in time');
    expect(child.killed).toBe(1);
    expect(handle.overdue()).toBeUndefined();
  });

  test('is shortened by kill, which also follows a drain', () => {
    const { child, clock, handle } = active();
    handle.drain(25_000);
    handle.kill();
    expect(child.told.at(-1)).toEqual({ type: 'kill' });
    clock.pass(800);
    expect(handle.overdue()).toBe('did not stop in time');
  });
});

test('a child that does not listen yet is killed at once', () => {
  const child = new ScriptedChild();
  handleOf(child, new VirtualClock()).drain(25_000);
  expect(child.killed).toBe(1);
});

test('a wait ends with the process', async () => {
  const { child, handle } = active();
  const waited = handle.until(() => false, 60_000);
  child.ends({ code: 1 });
  expect(await waited).toBe(false);
});

const gauge = (value: number) => ({ name: 'a', help: 'h', type: 'gauge', values: [{ labels: {}, value }] });

test('an answer to an earlier question is not taken for the answer to this one', async () => {
  const { child, clock, handle } = active();
  const first = handle.gauges.ask(1);
  await clock.advance(1);
  expect(await first).toBe(undefined);
  const second = handle.gauges.ask(50);
  child.says({ type: 'gauges', request: 1, gauges: [gauge(1)] });
  await clock.advance(50);
  expect(await second).toBe(undefined);
  const third = handle.gauges.ask(5_000);
  child.says({ type: 'gauges', request: 3, gauges: [gauge(2), 'nonsense'] });
  expect(await third).toEqual([gauge(2)]);
  expect(handle.gauges.last).toEqual([gauge(2)]);
});

test('one that is silent is not asked', async () => {
  const { child, clock, handle } = active();
  clock.pass(3_001);
  const told = child.told.length;
  expect(await handle.gauges.ask(60_000)).toBe(undefined);
  expect(child.told).toHaveLength(told);
});

test('it consumes when it says so, degraded or not, and only while it is active', () => {
  const { child, handle } = active();
  child.beats({ state: 'degraded', reasons: ['metrics port 9100 is taken'], consuming: true });
  expect(handle.isConsuming).toBe(true);
  child.beats({ state: 'degraded', reasons: ['Redis is away'], consuming: false });
  expect(handle.isConsuming).toBe(false);
  child.beats({ consuming: true });
  handle.drain(1_000);
  expect(handle.isConsuming).toBe(false);
});
