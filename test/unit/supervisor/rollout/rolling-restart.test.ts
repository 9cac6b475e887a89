import { describe, expect, test } from 'vitest';

import { replaceWorker, ReplacementError } from '../../../../supervisor/rollout/replacement.js';
import { rollingRestart } from '../../../../supervisor/rollout/rolling-restart.js';
import { readinessOf } from '../../../../supervisor/status/documents/readiness.js';
import { configFor, VirtualPrimary, type WantedWorkers } from '../virtual-primary.js';

/** Begins to replace all workers; `outcome` is undefined while it goes on, then what stopped it, or 'done'. */
function roll({ pool, log }: VirtualPrimary, wanted: WantedWorkers): { outcome: string | undefined } {
  const seen: { outcome: string | undefined } = { outcome: undefined };
  void rollingRestart(pool, configFor(wanted), log).then((failure) => (seen.outcome = failure?.message ?? 'done'));
  return seen;
}

describe('a set', () => {
  test('is replaced one by one, the canary first, and never more than one is away', async () => {
    const primary = await VirtualPrimary.ready({ count: 3 });
    const rolling = roll(primary, { count: 3 });
    const seen = new Set<string>();
    let fewest = 3;
    while (rolling.outcome === undefined) {
      await primary.clock.advance(1);
      seen.add(primary.pids().join());
      fewest = Math.min(fewest, primary.readyPids().length);
    }
    expect(rolling.outcome).toBe('done');
    expect([...seen]).toEqual(['100,101,102', '103,101,102', '103,104,102', '103,104,105']);
    expect(fewest).toBe(2);
  });

  test('is told in this order: the new one boots, the old one is quieted, the new one claims, the old one drains', async () => {
    const primary = await VirtualPrimary.ready({ count: 1 });
    const { clock, child, pids } = primary;
    roll(primary, { count: 1 });
    await clock.advance(249);
    expect(child(100).told.at(-1)?.type).toBe('activate');
    await clock.advance(1);
    expect(child(100).told.at(-1)?.type).toBe('quiet');
    expect([pids(), child(101).told.at(-1)?.type]).toEqual([[100], 'configure']);
    await clock.advance(10);
    expect([pids(), child(101).told.at(-1)?.type]).toEqual([[101], 'activate']);
    expect(child(100).told.at(-1)?.type).toBe('drain');
  });

  test('has its number changed with it', async () => {
    const primary = await VirtualPrimary.ready({ count: 3 });
    const rolling = roll(primary, { count: 1 });
    await primary.clock.advance(8_000);
    expect([rolling.outcome, primary.readyPids()]).toEqual(['done', [103]]);
    const larger = roll(primary, { count: 2 });
    await primary.clock.advance(8_000);
    expect([larger.outcome, primary.readyPids()]).toEqual(['done', [104, 105]]);
  });

  test('from which a worker is taken meanwhile goes on without it', async () => {
    const primary = await VirtualPrimary.ready({ count: 3 });
    const rolling = roll(primary, { count: 3 });
    await primary.clock.advance(300);
    expect(primary.pids()).toEqual([103, 101, 102]);
    primary.pool.scale(1);
    await primary.clock.advance(8_000);
    expect([rolling.outcome, primary.readyPids()]).toEqual(['done', [103]]);
  });
});

describe('a canary that fails before the hand-over leaves the old set as it is:', () => {
  test.each([
    { faults: 'boot-failed:E_CREDENTIALS', says: /could not start: it was told to fail\. The old worker serves on\.$/ },
    { faults: 'dies-at-boot', says: /exited before it had started with code 1\. The old worker serves on\.$/ },
    { faults: 'no-redis', says: /cannot reach Redis at .* with the new configuration\. The old workers serve on\.$/ },
  ])('$faults', async ({ faults, says }) => {
    const primary = await VirtualPrimary.ready({ count: 2 });
    const old = primary.pool.config;
    const rolling = roll(primary, { count: 2, faults });
    await primary.clock.advance(2_000);
    expect(rolling.outcome).toMatch(says);
    expect([primary.readyPids(), primary.children.length]).toEqual([[100, 101], 3]);
    expect(primary.pool.config).toBe(old);
    expect(primary.pool.processes.map(({ pid }) => pid)).toEqual([100, 101]);
  });

  test('the main server has no such route, where that is what has changed', async () => {
    const primary = await VirtualPrimary.ready({ count: 2 });
    const wanted = configFor({ count: 2, faults: 'no-route' });
    const elsewhere = { ...wanted, mainServer: { ...wanted.mainServer, deliverEndpoint: '/elsewhere' } };
    const failure = rollingRestart(primary.pool, elsewhere, primary.log);
    await primary.clock.advance(2_000);
    expect((await failure)?.message).toMatch(
      /the main server has no route \/elsewhere at .*MAIN_SERVER_DELIVER_ENDPOINT is wrong\. The old workers serve on\.$/,
    );
    expect(primary.readyPids()).toEqual([100, 101]);
    const asBefore = roll(primary, { count: 2, faults: 'no-route' });
    await primary.clock.advance(10_000);
    expect(asBefore.outcome).toBe('done');
  });

  test('it does not boot within 30 s', async () => {
    const primary = await VirtualPrimary.ready({ count: 2 });
    const rolling = roll(primary, { count: 2, faults: 'never-boots' });
    await primary.clock.advance(29_999);
    expect([rolling.outcome, primary.children[2]?.killed]).toEqual([undefined, 0]);
    await primary.clock.advance(1_000);
    expect(rolling.outcome).toMatch(/did not boot within 30 s(?: and was killed)?\. The old worker serves on\.$/);
    expect(primary.readyPids()).toEqual([100, 101]);
    expect(primary.pool.processes.map(({ pid }) => pid)).toEqual([100, 101]);
  });
});

describe('a canary that fails after the hand-over gives its place to the old configuration:', () => {
  test('it is not ready within 15 s', async () => {
    const primary = await VirtualPrimary.ready({ count: 2 });
    const old = primary.pool.config;
    const rolling = roll(primary, { count: 2, faults: 'never-ready' });
    await primary.clock.advance(15_000);
    expect([rolling.outcome, primary.pids()]).toEqual([undefined, [102, 101]]);
    await primary.clock.advance(1_500);
    expect(rolling.outcome).toMatch(
      /is not ready after 15 s \(it was told to be\)\. The old configuration serves on\.$/,
    );
    expect(primary.readyPids()).toEqual([103, 101]);
    expect(primary.pool.slots.map(({ current }) => current?.config)).toEqual([old, old]);
  });

  test('it dies', async () => {
    const primary = await VirtualPrimary.ready({ count: 2 });
    const old = primary.pool.config;
    const rolling = roll(primary, { count: 2, faults: 'dies-when-activated' });
    await primary.clock.advance(2_000);
    expect(rolling.outcome).toMatch(/exited with code 1\. The old configuration serves on\.$/);
    expect(primary.readyPids()).toEqual([103, 101]);
    expect(primary.pool.slots.map(({ current }) => current?.config)).toEqual([old, old]);
  });
});

test('where no worker was ready before, the canary need only be alive', async () => {
  const primary = new VirtualPrimary({ count: 2, faults: 'never-ready' });
  primary.loop.start();
  await primary.clock.advance(1_500);
  const rolling = roll(primary, { count: 2, faults: 'never-ready too' });
  await primary.clock.advance(8_000);
  expect([rolling.outcome, primary.pids()]).toEqual(['done', [102, 103]]);
});

test('a later worker whose new process dies keeps its old one; the set stays mixed, and that is said', async () => {
  const primary = await VirtualPrimary.ready({ count: 3 });
  const rolling = roll(primary, { count: 3 });
  await primary.clock.advance(5_300);
  primary.child(104).dies('SIGKILL');
  await primary.clock.advance(2_000);
  expect(rolling.outcome).toMatch(
    /The workers before it have the new configuration, it and those after it still the old/,
  );
  expect(primary.readyPids()).toEqual([103, 101, 102]);
  expect(primary.pool.slots.map(({ current }) => current?.config === primary.pool.config)).toEqual([
    true,
    false,
    false,
  ]);
});

test('a worker that died under the old configuration and boots with the new one is waited for, not blamed', async () => {
  const primary = await VirtualPrimary.ready({ count: 3 });
  const rolling = roll(primary, { count: 3 });
  await primary.clock.advance(5_400);
  primary.child(102).dies('SIGKILL');
  await primary.clock.advance(8_000);
  expect(rolling.outcome).toBe('done');
  expect(primary.readyPids()).toHaveLength(3);
});

test('an old process that does not answer is given up by the hand-over all the same', async () => {
  const primary = await VirtualPrimary.ready({ count: 1 });
  primary.child(100).hang();
  const rolling = roll(primary, { count: 1 });
  await primary.clock.advance(5_200);
  expect(primary.pids()).toEqual([100]);
  await primary.clock.advance(500);
  expect(primary.readyPids()).toEqual([101]);
  await primary.clock.advance(5_000);
  expect(rolling.outcome).toBe('done');
});

test('with one worker there is no moment in which nobody is said to take messages', async () => {
  const primary = await VirtualPrimary.ready({ count: 1 });
  const rolling = roll(primary, { count: 1 });
  const said = new Set<number>();
  while (rolling.outcome === undefined) {
    await primary.clock.advance(1);
    said.add(readinessOf(primary.status.document()).status);
  }
  expect([rolling.outcome, ...said]).toEqual(['done', 200]);
  // a process that dies is vouched for by nobody
  primary.child(101).dies('SIGKILL');
  await primary.clock.settle();
  expect(readinessOf(primary.status.document()).status).toBe(503);
});

describe('a set whose new processes die is a failed one:', () => {
  test.each([1, 2_500, 4_900])('the canary, %i ms after its first beat', async (afterMs) => {
    const primary = await VirtualPrimary.ready({ count: 3 });
    const old = primary.pool.config;
    const rolling = roll(primary, { count: 3 });
    while (!primary.readyPids().includes(103)) await primary.clock.advance(1);
    await primary.clock.advance(afterMs);
    primary.child(103).dies('SIGKILL');
    await primary.clock.advance(1_000);
    expect(rolling.outcome).toMatch(
      /was killed by SIGKILL .* in its first 5 s at work\. The old configuration serves on\.$/,
    );
    expect(primary.readyPids()).toEqual([104, 101, 102]);
    expect(primary.pool.slots.map(({ current }) => current?.config === old)).toEqual([true, true, true]);
  });

  test('the canary stops to take messages, while others do', async () => {
    const primary = await VirtualPrimary.ready({ count: 2 });
    const rolling = roll(primary, { count: 2, faults: 'short-of-breath' });
    await primary.clock.advance(8_000);
    expect(rolling.outcome).toMatch(
      /was ready and is not any more after 5 s \(it was told to be\)\. The old configuration serves on\.$/,
    );
    expect(primary.readyPids()).toEqual([103, 101]);
  });

  test('the canary, while the others are replaced', async () => {
    const primary = await VirtualPrimary.ready({ count: 3 });
    const rolling = roll(primary, { count: 3 });
    await primary.clock.advance(5_300);
    primary.child(103).dies('SIGKILL');
    await primary.clock.advance(3_000);
    expect(rolling.outcome).toMatch(
      /\(pid 103\) was killed by SIGKILL .* after it had taken over; it is started again\./,
    );
    expect(primary.readyPids()).toEqual([105, 104, 102]);
  });

  test('a later one, before it is ready', async () => {
    const primary = await VirtualPrimary.ready({ count: 2 });
    const rolling = roll(primary, { count: 2 });
    while (primary.pids()[1] !== 103) await primary.clock.advance(1);
    primary.child(103).dies('SIGKILL');
    await primary.clock.advance(3_000);
    expect(rolling.outcome).toMatch(/\(pid 103\) was killed .* All workers have the new configuration\.$/);
  });

  test('one that was added', async () => {
    const primary = await VirtualPrimary.ready({ count: 1 });
    const rolling = roll(primary, { count: 2 });
    await primary.clock.advance(5_300);
    primary.child(102).dies('SIGKILL');
    await primary.clock.advance(3_000);
    expect(rolling.outcome).toMatch(
      /^Worker 2 has the new configuration as all others, but its last process was killed/,
    );
    expect(primary.readyPids()).toEqual([101, 103]);
  });
});

test.each([10, 100, 249, 251, 300, 3_000, 5_300])(
  'a stop after %i ms is what it says it ended for',
  async (afterMs) => {
    const primary = await VirtualPrimary.ready({ count: 2 });
    const rolling = roll(primary, { count: 2 });
    await primary.clock.advance(afterMs);
    primary.receive('stop');
    await primary.clock.advance(2_000);
    expect(rolling.outcome).toBe('The supervisor is stopping.');
    await primary.loop.ended;
    expect(primary.pool.exitCode).toBe(0);
  },
);

test('a stop ends it at the next step', async () => {
  const primary = await VirtualPrimary.ready({ count: 2 });
  const rolling = roll(primary, { count: 2 });
  await primary.clock.advance(300);
  primary.receive('stop');
  await primary.clock.advance(2_000);
  expect(rolling.outcome).toBe('The supervisor is stopping.');
  await primary.loop.ended;
  expect(primary.pool.processes).toEqual([]);
});

describe('one worker', () => {
  test('gets a fresh process, and the others do not notice', async () => {
    const { pool, clock, pids, readyPids } = await VirtualPrimary.ready({ count: 2 });
    const [, second] = pool.slots;
    if (!second) throw new Error('There is no second slot.');
    const replaced = replaceWorker(pool, second, pool.config);
    await clock.advance(1_000);
    await replaced;
    expect([pids(), readyPids()]).toEqual([
      [100, 102],
      [100, 102],
    ]);
  });

  test('that is scaled away meanwhile is not replaced', async () => {
    const { pool, clock } = await VirtualPrimary.ready({ count: 2 });
    const [, second] = pool.slots;
    if (!second) throw new Error('There is no second slot.');
    pool.scale(1);
    await clock.advance(1_000);
    await expect(replaceWorker(pool, second, pool.config)).rejects.toThrow(ReplacementError);
  });
});
