import { describe, expect, test } from 'vitest';

import { VirtualPrimary } from '../virtual-primary.js';

/** Whether the loop has ended, as far as what is ready to run tells. */
async function hasEnded({ loop, clock }: VirtualPrimary): Promise<boolean> {
  let ended = false;
  void loop.ended.then(() => (ended = true));
  await clock.settle();
  return ended;
}

describe('a round', () => {
  test('acts on the signals that came, without time passing', async () => {
    const { receive, clock, children, pool } = await VirtualPrimary.ready({ count: 1 });
    receive('one-more');
    await clock.settle();
    expect(children).toHaveLength(2);
    receive('one-fewer');
    receive('one-fewer');
    await clock.settle();
    expect(pool.target).toBe(1);
  });

  test('tells systemd and the guardian how things stand', async () => {
    const primary = await VirtualPrimary.ready({ count: 2 });
    expect(primary.rounds[0]).toBe('starting: 0 of 2 workers ready');
    expect(primary.rounds).toContain('running: 0 of 2 workers ready');
    expect(primary.rounds.at(-1)).toBe('running: 2 of 2 workers ready');
    expect(primary.guarded).toEqual([100, 101]);
  });

  test('knows CPU and memory of a process when its first beat comes, the ones that come later too', async () => {
    const primary = new VirtualPrimary({ count: 3 });
    primary.loop.start();
    let beats = 0;
    for (let ms = 0; ms < 1_000; ms += 10) {
      await primary.clock.advance(10);
      const working = primary.status.document().workers.filter(({ breaker }) => breaker !== null);
      beats += working.length;
      expect(working.filter(({ cpu_percent, memory_bytes }) => cpu_percent !== 12 || memory_bytes !== 34)).toEqual([]);
    }
    expect(beats).toBeGreaterThan(100);
  });

  test('comes when a deadline passes, not before: a crashed worker after its delay', async () => {
    const { clock, child, children } = await VirtualPrimary.ready({ count: 1 });
    child(100).dies('SIGKILL');
    await clock.advance(99);
    expect(children).toHaveLength(1);
    await clock.advance(1);
    expect(children).toHaveLength(2);
  });

  test('comes when a deadline passes, not before: a hung worker after ten seconds without a beat', async () => {
    const { clock, child, pool } = await VirtualPrimary.ready({ count: 1 });
    child(100).hang();
    const lastBeatAt = pool.slots[0]?.current?.beatAt ?? NaN;
    await clock.advance(lastBeatAt + 9_999 - clock.now());
    expect(child(100).killed).toBe(0);
    await clock.advance(1);
    expect(child(100).killed).toBe(1);
  });

  test('that throws ends the loop, and whoever waits for the end is told', async () => {
    const primary = await VirtualPrimary.ready({ count: 1 });
    primary.child(100).dies('SIGKILL');
    primary.gone.push = () => {
      throw new Error('a bug');
    };
    const ended = expect(primary.loop.ended).rejects.toThrow('a bug');
    await primary.clock.settle();
    await ended;
    await primary.loop.stop();
  });
});

describe('a process that was suspended', () => {
  test('holds a missing beat against nobody for two seconds', async () => {
    const { clock, child, pool } = await VirtualPrimary.ready({ count: 2 });
    child(101).hang();
    clock.stall(60_000);
    await clock.advance(1_900);
    expect([child(100).killed, child(101).killed]).toEqual([0, 0]);
    await clock.advance(200);
    expect([child(100).killed, child(101).killed]).toEqual([0, 1]);
    await clock.advance(5_000);
    expect(pool.slots.map(({ restarts, hangs }) => [restarts, hangs])).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  test('that was only a little late goes on judging', async () => {
    const { clock, child } = await VirtualPrimary.ready({ count: 1 });
    child(100).hang();
    await clock.advance(8_000);
    clock.stall(1_900);
    await clock.advance(600);
    expect(child(100).killed).toBe(1);
  });
});

describe('when no worker can start', () => {
  test.each([
    { faults: 'boot-failed:E_CONFIG', exitCode: 78, says: /could not start: it was told to fail$/ },
    { faults: 'dies-at-boot', exitCode: 1, says: /died 3 times before it had started: exited .* with code 1$/ },
  ])('for $faults it gives up, says why, and ends', async ({ faults, exitCode, says }) => {
    const primary = new VirtualPrimary({ count: 2, faults });
    primary.loop.start();
    await primary.clock.advance(5_000);
    await primary.loop.ended;
    expect(primary.log.lines.filter((line) => /No worker can start/.test(line))).toEqual([expect.stringMatching(says)]);
    expect(primary.pool.exitCode).toBe(exitCode);
    expect(primary.pool.processes).toEqual([]);
  });
});

describe('the end', () => {
  test('comes when we are stopping and the last child is gone', async () => {
    const primary = await VirtualPrimary.ready({ count: 2 });
    primary.receive('stop');
    await primary.clock.advance(400);
    expect(await hasEnded(primary)).toBe(false);
    expect(primary.status.state).toBe('stopping');
    await primary.clock.advance(200);
    expect(await hasEnded(primary)).toBe(true);
    expect(primary.children.map(({ killed }) => killed)).toEqual([0, 0]);
    expect(primary.gone.map(({ pid }) => pid)).toEqual([100, 101]);
    expect(primary.pool.exitCode).toBe(0);
  });

  test('comes at the drain deadline and its grace by force, and shows in the exit code', async () => {
    const primary = await VirtualPrimary.ready({ count: 1, faults: 'ignores-drain' });
    primary.receive('stop');
    await primary.clock.advance(27_900);
    expect(await hasEnded(primary)).toBe(false);
    await primary.clock.advance(200);
    expect(await hasEnded(primary)).toBe(true);
    expect(primary.pool.exitCode).toBe(1);
  });

  test('comes within a second after a second stop', async () => {
    const primary = await VirtualPrimary.ready({ count: 1, faults: 'ignores-drain' });
    primary.receive('stop');
    await primary.clock.settle();
    primary.receive('stop');
    await primary.clock.advance(700);
    expect(primary.children[0]?.told.at(-1)).toEqual({ type: 'kill' });
    expect(await hasEnded(primary)).toBe(false);
    await primary.clock.advance(200);
    expect(await hasEnded(primary)).toBe(true);
    expect(primary.log.lines).toContain('WARNING: Received signal 15 again, ending at once');
    expect(primary.pool.exitCode).toBe(1);
  });

  test('of the loop alone leaves the workers as they are', async () => {
    const { loop, clock, pool, receive, children } = await VirtualPrimary.ready({ count: 1 });
    await loop.stop();
    receive('one-more');
    await clock.advance(5_000);
    expect(children).toHaveLength(1);
    expect(pool.processes).toHaveLength(1);
  });
});
