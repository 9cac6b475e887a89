/** The three strengths of stopping a work loop: quiet, drain, kill. */
import { afterEach, describe, expect, test } from 'vitest';
import { DELIVERED, FAILED } from '../../../../support/main-server/scripted-main-server.js';
import { closeCores, createCore, message, type Core } from '../core.js';

afterEach(closeCores);

const pushed = (...names: string[]) => names.map((id) => message(id));
const waiting = ({ queue }: Core) => queue.waiting.map(String);

async function delivering(...ids: string[]): Promise<Core> {
  const core = createCore();
  core.queue.push(...pushed(...ids));
  core.workLoop.start();
  await core.settle();
  expect(core.server.ids).toEqual(ids);
  return core;
}

/** Settled with true once `work` has ended. */
function ending(work: Promise<void>): { hasEnded: boolean } {
  const state = { hasEnded: false };
  void work.then(() => (state.hasEnded = true));
  return state;
}

describe('quiet', () => {
  test('claims nothing more; what is in flight goes on and is settled', async () => {
    const core = await delivering('a', 'b');
    const { workLoop, queue, server, clock } = core;
    await workLoop.quiet();
    expect(queue.asked.at(-1)).toBe('unblock');
    expect(workLoop.facts).toMatchObject({ isStopping: true, inFlight: 2 });
    queue.push(...pushed('c'));
    server.post('a').answer(DELIVERED);
    await clock.advance(10_000);
    expect(queue.asked.at(-1)).toBe('exchange [ack a] want 0');
    expect(server.ids).toEqual(['a', 'b']);
    expect(waiting(core)).toEqual(pushed('c'));
  });

  test('a message that comes at that moment goes back', async () => {
    const core = await delivering('a');
    const { workLoop, queue, settle } = core;
    queue.push(...pushed('late'));
    await workLoop.quiet();
    await settle();
    expect(queue.asked.at(-1)).toBe('exchange [hand-back late] want 0');
    expect(waiting(core)).toEqual(pushed('late'));
  });
});

describe('drain', () => {
  test('ends when all in flight is settled', async () => {
    const { workLoop, queue, server, clock, log, settle } = await delivering('a', 'b');
    const drain = ending(workLoop.drain(25_000));
    expect(log.lines).toContain('INFO Waiting for 2 tasks to complete...');
    await clock.advance(3_000);
    server.post('a').answer(DELIVERED);
    await settle();
    expect(drain.hasEnded).toBe(false);
    server.post('b').answer(FAILED);
    server.answerPuts(DELIVERED);
    await settle();
    expect(drain.hasEnded).toBe(true);
    expect(queue.processing).toEqual([]);
    expect(queue.retrying).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test('waits for what the main server is still to be told', async () => {
    const { workLoop, server, settle } = await delivering('a');
    const drain = ending(workLoop.drain(25_000));
    server.post('a').answer(FAILED);
    await settle();
    expect([server.puts.length, drain.hasEnded]).toEqual([1, false]);
    server.puts[0]?.answer(DELIVERED);
    await settle();
    expect(drain.hasEnded).toBe(true);
  });

  test('at its deadline hands back the rest, so that the oldest is claimed first', async () => {
    const core = await delivering('a', 'b', 'c');
    const { workLoop, queue, server, clock, log, settle } = core;
    const drain = ending(workLoop.drain(25_000));
    server.post('b').answer(FAILED);
    queue.push(...pushed('newer'));
    await clock.advance(24_999);
    expect(drain.hasEnded).toBe(false);
    await clock.advance(1);
    await settle();
    expect(drain.hasEnded).toBe(true);
    expect(log.lines).toContain('WARNING Handing 2 unfinished message(s) back to the queue');
    expect(queue.asked.at(-1)).toBe('exchange [hand-back c, hand-back a] want 0');
    expect(waiting(core)).toEqual(pushed('newer', 'c', 'a'));
    expect(clock.pending).toBe(0);
  });

  test('at its deadline cuts what the main server is still to be told', async () => {
    const { workLoop, server, clock, settle } = await delivering('a');
    const drain = ending(workLoop.drain(5_000));
    server.post('a').answer(FAILED);
    await clock.advance(4_999);
    expect(drain.hasEnded).toBe(false);
    await clock.advance(1);
    await settle();
    expect(drain.hasEnded).toBe(true);
  });
});

describe('kill', () => {
  test('hands everything back at once', async () => {
    const core = await delivering('a', 'b', 'c');
    const { workLoop, settle } = core;
    const stop = ending(workLoop.stop());
    await settle();
    expect(stop.hasEnded).toBe(true);
    expect(waiting(core)).toEqual(pushed('c', 'b', 'a'));
  });

  test('tries once more when Redis did not answer, in the same order', async () => {
    const core = await delivering('a', 'b', 'c');
    const { workLoop, queue, clock } = core;
    queue.next({ kind: 'no-reply', done: false });
    const stop = ending(workLoop.stop());
    await clock.advance(500);
    expect(stop.hasEnded).toBe(true);
    expect(queue.asked.filter((asked) => asked.startsWith('exchange [hand-back'))).toHaveLength(2);
    expect(waiting(core)).toEqual(pushed('c', 'b', 'a'));
  });

  test('waits 2 s for a Redis that is away, and no longer: the lease runs out', async () => {
    const { workLoop, queue, clock, settle } = await delivering('a');
    queue.goAway();
    const stop = ending(workLoop.stop());
    await clock.advance(2_000);
    await settle();
    expect(stop.hasEnded).toBe(false);
    await clock.advance(500);
    await settle();
    expect(stop.hasEnded).toBe(true);
  });
});
