import { describe, expect, test } from 'vitest';

import { ConfigError } from '../../../../src/shared/errors.js';
import { StoppingError } from '../../../../supervisor/rollout/stopping-error.js';
import { configFor, VirtualPrimary } from '../virtual-primary.js';

function slotOf({ pool }: VirtualPrimary, number: number) {
  const slot = pool.slots.find((each) => each.number === number);
  if (!slot) throw new Error(`There is no slot ${number}.`);
  return slot;
}

describe('reloads', () => {
  test('that are asked for within a second are one, which begins when that second is over', async () => {
    const { clock, operations, reload, status, children } = await VirtualPrimary.ready({ count: 1 });
    operations.requestReload();
    await clock.advance(900);
    const asked = operations.reload();
    await clock.advance(99);
    expect([status.state, children.length]).toEqual(['running', 1]);
    await clock.advance(1);
    expect([status.state, children.length]).toEqual(['reloading', 2]);
    await clock.advance(10_000);
    expect(await asked).toBe(reload.last);
    expect([status.state, reload.counts]).toEqual(['running', { ok: 1, failed: 0 }]);
  });

  test('read the files when that second is over', async () => {
    const { clock, operations, pool, reads } = await VirtualPrimary.ready({ count: 1 });
    operations.requestReload();
    await clock.advance(900);
    reads({ count: 2 });
    await clock.advance(10_000);
    expect(pool.config).toEqual(configFor({ count: 2 }));
  });

  test('that are asked for while one runs are one more, with a result of its own', async () => {
    const primary = await VirtualPrimary.ready({ count: 1 });
    const { clock, operations, reload } = primary;
    const first = operations.reload();
    await clock.advance(1_100);
    const [second, third] = [operations.reload(), operations.reload()];
    primary.read = () => {
      throw new ConfigError(['Bad.']);
    };
    await clock.advance(10_000);
    expect((await first).ok).toBe(true);
    expect([await second, await third]).toEqual([reload.last, reload.last]);
    expect(reload.last).toMatchObject({ ok: false, reason: 'Bad.' });
    expect(reload.counts).toEqual({ ok: 1, failed: 1 });
  });
});

describe('replacements', () => {
  test('come one at a time, those asked for in their order and before the bloated ones', async () => {
    const primary = await VirtualPrimary.ready({ count: 3 });
    const { operations, clock, pids, log } = primary;
    const restarts = [operations.restart(slotOf(primary, 3)), operations.restart(slotOf(primary, 2))];
    operations.requestReplacement(100, 300 * 1024 * 1024);
    const seen = new Set<string>();
    for (let ms = 0; ms < 1_500; ms += 10) {
      await clock.advance(10);
      seen.add(pids().join());
    }
    await Promise.all(restarts);
    expect([...seen]).toEqual(['100,101,102', '100,101,103', '100,104,103', '105,104,103']);
    expect(log.lines).toContain('INFO: Replacing Worker worker-3 (pid 102), as asked for');
    expect(log.lines).toContain(
      'WARNING: Worker worker-1 (pid 100) uses 300 MiB, more than worker.max_memory allows; replacing it',
    );
  });

  test('wait for a reload that is due, and no reload is shown while they run', async () => {
    const primary = await VirtualPrimary.ready({ count: 1 });
    const { operations, clock, status, reload } = primary;
    operations.requestReload();
    await clock.advance(900);
    const first = operations.restart(slotOf(primary, 1));
    await clock.advance(150);
    expect(status.state).toBe('running');
    const second = operations.restart(slotOf(primary, 1));
    await clock.advance(10_000);
    await Promise.all([first, second]);
    expect(reload.counts.ok).toBe(1);
    expect(primary.children.map(({ told }) => told.at(-1)?.type)).toEqual(['drain', 'drain', 'drain', 'activate']);
  });

  test('of a process that is gone are forgotten', async () => {
    const { operations, clock, children, child } = await VirtualPrimary.ready({ count: 1 });
    child(100).dies('SIGKILL');
    operations.requestReplacement(100, 1);
    await clock.advance(3_000);
    expect(children).toHaveLength(2);
  });

  test('that fail are said, and the asker is told', async () => {
    const primary = await VirtualPrimary.ready({ count: 1 });
    const restart = primary.operations.restart(slotOf(primary, 1));
    const told = expect(restart).rejects.toThrow(/was killed by SIGKILL .*The old worker serves on\./);
    await primary.clock.advance(100);
    primary.child(101).dies('SIGKILL');
    await primary.clock.advance(100);
    await told;
    expect(primary.log.lines).toContainEqual(expect.stringMatching(/^ERROR: The replacement failed: /));
    expect(primary.readyPids()).toEqual([100]);
  });
});

test('a reload that a stop breaks off is refused as one that comes too late', async () => {
  const { operations, clock, receive, reload } = await VirtualPrimary.ready({ count: 1 });
  const asked = expect(operations.reload()).rejects.toThrow(StoppingError);
  await clock.advance(2_000);
  receive('stop');
  await clock.advance(1_000);
  await asked;
  expect(reload.last?.reason).toBe('The supervisor is stopping.');
});

test('at a stop whoever waits is refused, the one under way ends, and nothing begins any more', async () => {
  const primary = await VirtualPrimary.ready({ count: 1 });
  const { operations, clock, receive } = primary;
  const running = expect(operations.restart(slotOf(primary, 1))).rejects.toThrow(StoppingError);
  await clock.advance(100);
  const waiting = expect(operations.restart(slotOf(primary, 1))).rejects.toThrow('The supervisor is stopping.');
  const reload = expect(operations.reload()).rejects.toThrow(StoppingError);
  receive('stop');
  await clock.settle();
  await waiting;
  await reload;
  await expect(operations.reload()).rejects.toThrow('The supervisor is stopping.');
  await expect(operations.restart(slotOf(primary, 1))).rejects.toThrow(StoppingError);
  await clock.advance(3_000);
  await running;
  await operations.stop();
  await primary.loop.ended;
  expect(primary.children).toHaveLength(2);
});
