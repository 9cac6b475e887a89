/** The work loop at a main server that cannot be reached. */
import { afterEach, describe, expect, test } from 'vitest';
import { DELIVERED, REFUSED } from '../../../../support/main-server/scripted-main-server.js';
import { closeCores, createCore, message, type Core } from '../core.js';

afterEach(closeCores);

const ids = (count: number, from = 1) => Array.from({ length: count }, (_, at) => `m${from + at}`);
const pushed = (names: readonly string[]) => names.map((id) => message(id));
const claims = ({ queue }: Core, from = 0) => queue.requests.slice(from).map(({ want }) => want);

/** A worker whose breaker has opened at the tenth POST, at 0 ms; `waiting` messages are left. */
async function cutOff(waiting: number): Promise<Core> {
  const core = createCore();
  core.queue.push(...pushed(ids(10 + waiting)));
  core.server.answerPosts(REFUSED);
  core.server.answerPuts(REFUSED);
  core.workLoop.start();
  await core.settle();
  expect(core.breaker.state).toBe('open');
  core.server.answerPosts(undefined);
  return core;
}

describe('when the breaker opens', () => {
  test('nothing more is claimed: what waits spends no attempt', async () => {
    const core = await cutOff(3);
    const { queue, server, clock, log, metric } = core;
    expect(server.ids).toEqual(ids(10));
    expect(queue.retrying).toHaveLength(10);
    const from = queue.requests.length;
    await clock.advance(4_900);
    expect(claims(core, from)).toEqual([]);
    expect(queue.waiting).toHaveLength(3);
    expect(await metric('worker_circuit_breaker_open')).toBe(1);
    expect(log.lines).toContain(
      'ERROR Main server cannot be reached (connection_refused): claiming is paused, looking again every 5 s',
    );
  });

  test('the main server is not told of attempts that are settled now: it cannot be reached', async () => {
    const core = await cutOff(0);
    // of the eight before it opened
    expect(core.server.puts.map(({ id }) => id)).toEqual(ids(8));
  });

  test('the wait for a message is ended, and one that comes later stays in the queue', async () => {
    const core = createCore({ concurrency: 12, batchSize: 12 });
    const { workLoop, queue, server, clock, settle } = core;
    queue.push(...pushed(ids(11)));
    workLoop.start();
    await settle();
    expect(queue.asked.at(-1)).toBe('claimBlocking');
    for (const post of server.posts.slice(0, 10)) post.answer(REFUSED);
    await settle();
    expect(queue.asked).toContain('unblock');
    queue.push(...pushed(['later']));
    await clock.advance(4_900);
    expect(server.ids).not.toContain('later');
    expect(queue.waiting).toHaveLength(1);
  });

  test('what was claimed while it opened goes back untouched', async () => {
    const { workLoop, queue, server, settle } = createCore({ concurrency: 11, batchSize: 11 });
    queue.push(...pushed([...ids(11), 'late']));
    workLoop.start();
    await settle();
    const release = queue.hold();
    server.post('m1').answer(DELIVERED);
    await settle();
    expect(queue.asked.at(-1)).toBe('exchange [ack m1] want 1');
    for (const id of ids(10, 2)) server.post(id).answer(REFUSED);
    await settle();
    release();
    await settle();
    expect(server.ids).toEqual(ids(11));
    expect(queue.waiting.map(String)).toEqual(pushed(['late']));
  });
});

describe('while it is open', () => {
  test('the main server is probed every 5 s, one probe at a time', async () => {
    const { server, clock } = await cutOff(1);
    await clock.advance(4_999);
    expect(server.probes).toHaveLength(0);
    await clock.advance(1);
    expect(server.probes).toHaveLength(1);
    await clock.advance(1_000);
    server.probes[0]?.answer('unreachable');
    await clock.advance(3_999);
    expect(server.probes).toHaveLength(1);
    await clock.advance(1);
    expect(server.probes).toHaveLength(2);
    // this one hangs: the next is made when it is over, and at once
    await clock.advance(12_000);
    expect(server.probes).toHaveLength(2);
    server.probes[1]?.answer('unreachable');
    await clock.settle();
    expect(server.probes).toHaveLength(3);
  });

  test('a quiet worker makes no probes: it will claim nothing anyway', async () => {
    const { workLoop, server, clock } = await cutOff(1);
    await workLoop.quiet();
    await clock.advance(20_000);
    expect(server.probes).toEqual([]);
  });
});

describe('when a probe says that it can be reached', () => {
  async function halfOpen(waiting: number): Promise<Core> {
    const core = await cutOff(waiting);
    await core.clock.advance(5_000);
    core.server.probes[0]?.answer('reachable');
    await core.settle();
    return core;
  }

  test('one message is claimed and tried; delivered, it opens the way for all', async () => {
    const core = await halfOpen(6);
    const { breaker, clock, server, log, metric, settle } = core;
    expect(breaker.state).toBe('half-open');
    expect(server.ids.slice(10)).toEqual(['m11']);
    await clock.advance(3_000);
    expect(server.ids.slice(10)).toEqual(['m11']);
    server.post('m11').answer(DELIVERED);
    await settle();
    expect(server.ids.slice(10)).toEqual(ids(5, 11));
    expect(log.lines).toContain('INFO Main server can be reached again, claiming messages');
    expect(await metric('worker_circuit_breaker_open')).toBe(0);
  });

  test('and the one that is tried does not get through: back to probes', async () => {
    const { breaker, clock, server, log, settle } = await halfOpen(6);
    server.post('m11').answer(REFUSED);
    await settle();
    expect(breaker.state).toBe('open');
    expect(server.ids).toEqual(ids(11));
    expect(log.count(/cannot be reached/)).toBe(1);
    await clock.advance(5_000);
    expect(server.probes).toHaveLength(2);
  });

  test('and there is nothing to try: its word is enough', async () => {
    const { breaker, queue, log } = await halfOpen(0);
    expect(breaker.state).toBe('closed');
    expect(log.lines).toContain('INFO Main server can be reached again, claiming messages');
    expect(queue.asked.at(-1)).toBe('claimBlocking');
  });
});
