/** Messages that wait for their registration, between the claim and the slots. */
import { afterEach, describe, expect, test } from 'vitest';
import { DELIVERED, REFUSED, UNREGISTERED } from '../../../../support/main-server/scripted-main-server.js';
import { closeCores, createCore, message, type Core } from '../core.js';

afterEach(closeCores);

const LAG_MS = 70;
const PAUSE = '{"id":"p1","who":"anna","where":"web-1","why":"new main server"}';

/** A worker that has learned that messages are registered after 70 ms. */
function taught(worker: Parameters<typeof createCore>[0] = {}): Core {
  const core = createCore(worker);
  const { lag, clock } = core;
  for (let number = 0; number < 200; number += 1) {
    const now = clock.now();
    const young = lag.look({ clientId: '', ageMs: 0, wasAwaited: true, now });
    lag.registered(young, now + LAG_MS - 2, now + LAG_MS);
  }
  expect(lag.lagMs).toBe(LAG_MS);
  return core;
}

function fresh({ clock }: Core, id: string): string {
  return message(id, { queued_at: new Date(clock.wallNow()).toISOString() });
}

const waiting = ({ queue }: Core) =>
  queue.waiting.map((raw) => (JSON.parse(String(raw)) as { message_id: string }).message_id);

async function started(core: Core, ...ids: string[]): Promise<Core> {
  core.workLoop.start();
  await core.settle();
  for (const id of ids) {
    core.queue.push(fresh(core, id));
    await core.settle();
  }
  return core;
}

describe('a message that is hardly registered yet', () => {
  test('is asked for once it most likely is, and takes a slot only then', async () => {
    const core = await started(taught({ concurrency: 1 }), 'a');
    const { clock, server, workLoop, metric, log } = core;
    expect(workLoop.facts.slotsFull).toBe(false);
    expect(workLoop.facts.inFlight).toBe(0);
    expect(await metric('worker_processing_messages')).toBe(0);
    expect(await metric('worker_held_messages')).toBe(1);
    expect(await metric('worker_registration_lag_seconds')).toBe(0.07);
    await clock.advance(LAG_MS - 1);
    expect(server.ids).toEqual([]);
    expect(log.count(/Processing message/)).toBe(0);
    await clock.advance(1);
    await core.settle();
    expect(server.ids).toEqual(['a']);
    expect(workLoop.facts.slotsFull).toBe(true);
    await clock.advance(8);
    server.post('a').answer(DELIVERED);
    await core.settle();
    expect(await metric('worker_delivery_duration_seconds_sum')).toBeCloseTo(0.008);
    expect(await metric('worker_queue_wait_seconds_sum')).toBe(0);
  });

  test('begins after an exchange, and one that waits in the queue is claimed meanwhile', async () => {
    const core = await started(taught({ concurrency: 1 }), 'a');
    core.queue.push(message('old'));
    await core.settle();
    expect(core.server.ids).toEqual(['old']);
    await core.clock.advance(LAG_MS + 30);
    expect(core.server.ids).toEqual(['old']);
    core.server.post('old').answer(DELIVERED);
    await core.settle();
    expect(core.server.ids).toEqual(['old', 'a']);
    expect(core.queue.asked.filter((asked) => asked.startsWith('exchange')).at(-1)).toBe('exchange [ack old] want 0');
  });

  test('no more are held than a batch, and no more begun and not acknowledged than there are slots', async () => {
    const core = taught({ concurrency: 2, batchSize: 3 });
    const { queue, server, workLoop, clock } = core;
    for (let number = 0; number < 20; number += 1) queue.push(fresh(core, `m${number}`));
    workLoop.start();
    await core.settle();
    expect(queue.processing).toHaveLength(5);
    let most = 0;
    const answered = new Set<string>();
    for (let ms = 0; ms < 1_500; ms += 1) {
      await clock.advance(1);
      const begun = new Set(server.ids);
      const open = queue.processing.filter(({ raw }) =>
        begun.has((JSON.parse(String(raw)) as { message_id: string }).message_id),
      );
      most = Math.max(most, open.length);
      const post = server.posts.find((each) => !answered.has(each.id));
      if (post && ms % 5 === 0) {
        answered.add(post.id);
        post.answer(DELIVERED);
      }
    }
    expect(new Set(server.ids).size).toBe(20);
    expect(most).toBe(2);
  });
});

describe('a stop', () => {
  test('hands back at once what is held and not begun, the oldest to be claimed first', async () => {
    const core = await started(taught(), 'a', 'b');
    await core.workLoop.quiet();
    await core.settle();
    expect(waiting(core)).toEqual(['b', 'a']);
    await core.clock.advance(500);
    expect(core.server.ids).toEqual([]);
  });

  test('lets go on what was asked for before', async () => {
    const core = await started(createCore(), 'a');
    core.server.post('a').answer(UNREGISTERED);
    await core.settle();
    let drained = false;
    const drain = core.workLoop.drain(25_000).then(() => (drained = true));
    await core.clock.advance(25);
    expect(core.server.ids).toEqual(['a', 'a']);
    core.server.post('a').answer(DELIVERED);
    await drain;
    expect(drained).toBe(true);
    expect(core.queue.processing).toEqual([]);
    expect(core.queue.waiting).toEqual([]);
  });

  test('by a kill hands all of it back', async () => {
    const core = await started(taught(), 'a', 'b');
    await core.clock.advance(LAG_MS);
    await core.settle();
    core.server.post('a').answer(UNREGISTERED);
    await core.settle();
    core.workLoop.kill();
    await core.settle();
    expect(core.queue.processing).toEqual([]);
  });
});

describe('what waits between two looks', () => {
  test('holds no slot, and takes one again for each look', async () => {
    const core = createCore({ concurrency: 1 });
    await started(core, 'a');
    core.server.post('a').answer(UNREGISTERED);
    await core.settle();
    expect(core.workLoop.facts.slotsFull).toBe(false);
    core.queue.push(message('b'));
    await core.settle();
    expect(core.server.ids).toEqual(['a', 'b']);
    await core.clock.advance(100);
    expect(core.server.ids).toEqual(['a', 'b']);
    core.server.post('b').answer(DELIVERED);
    await core.settle();
    expect(core.server.ids).toEqual(['a', 'b', 'a']);
  });

  test('goes back when no slot comes free for 1 s', async () => {
    const core = createCore({ concurrency: 1 });
    await started(core, 'a');
    core.server.post('a').answer(UNREGISTERED);
    await core.settle();
    core.queue.push(message('b'));
    await core.clock.advance(2_000);
    expect(waiting(core)).toEqual(['a']);
    expect(core.server.ids).toEqual(['a', 'b']);
  });
});

describe('a pause', () => {
  test('sends back what is held', async () => {
    const core = taught();
    core.pause.start();
    await started(core, 'a');
    core.pauseInRedis.text = PAUSE;
    core.pause.seen(true);
    await core.settle();
    await core.clock.advance(500);
    expect(core.server.ids).toEqual([]);
    expect(waiting(core)).toEqual(['a']);
    await core.pause.stop();
  });
});

test('nothing held is begun after a freeze: it may be another consumer’s by then', async () => {
  const core = await started(taught(), 'a');
  core.clock.stall(20_000);
  await core.clock.advance(0);
  await core.settle();
  expect(core.queue.asked).toContain('exchange [hand-back a] want 3');
});

test('what is held goes back when the breaker opens', async () => {
  const core = taught({ concurrency: 12, batchSize: 12 });
  await started(core, 'a');
  core.server.answerPosts(REFUSED);
  core.queue.push(...Array.from({ length: 11 }, (_, at) => message(`m${at}`)));
  await core.settle();
  expect(core.breaker.state).toBe('open');
  await core.clock.advance(1);
  await core.settle();
  expect(waiting(core)).toContain('a');
  expect(core.server.ids).not.toContain('a');
});
