import { afterEach, expect, test } from 'vitest';
import { DELIVERED, UNREGISTERED } from '../../../../support/main-server/scripted-main-server.js';
import { closeCores, createCore, message, type Core } from '../core.js';

afterEach(closeCores);

const PAUSE = '{"id":"p1","who":"anna","where":"web-1","why":"new main server"}';

async function started(core: Core): Promise<Core> {
  core.pause.start();
  core.workLoop.start();
  await core.settle();
  return core;
}

/** Sets the key and lets a second pass, in which each consumer looks. */
async function paused(core: Core, text = PAUSE): Promise<void> {
  core.pauseInRedis.text = text;
  await core.clock.advance(1_000);
  await core.settle();
}

test('an idle worker looks at least once a second', async () => {
  const { pauseInRedis, clock } = await started(createCore());
  for (let second = 0; second < 10; second += 1) {
    const { looks } = pauseInRedis;
    await clock.advance(1_000);
    expect(pauseInRedis.looks).toBeGreaterThan(looks);
  }
});

test('within a second a pause is kept and confirmed: no pop is under way, and none is begun', async () => {
  const core = await started(createCore());
  expect(core.queue.asked).toContain('claimBlocking');
  await paused(core);
  expect(core.pauseInRedis.confirmed).toBe('p1');
  expect(core.queue.asked.at(-1)).toBe('unblock');
  const asked = core.queue.asked.length;
  core.queue.push(message('a'));
  await core.clock.advance(50_000);
  expect(core.queue.asked).toHaveLength(asked);
  expect(core.server.ids).toEqual([]);
});

test('what is in flight goes on, repeats inside its attempt included, and is settled', async () => {
  const core = await started(createCore());
  core.queue.push(message('a', { queued_at: new Date(core.clock.wallNow()).toISOString() }));
  await core.settle();
  await paused(core);
  expect(core.pauseInRedis.confirmed).toBe('p1');
  core.server.post('a').answer(UNREGISTERED);
  await core.clock.advance(1_000);
  expect(core.server.ids).toEqual(['a', 'a']);
  core.server.post('a').answer(DELIVERED);
  await core.settle();
  expect(core.queue.processing).toEqual([]);
  expect(core.queue.waiting).toEqual([]);
});

test('what waits for another copy of its id goes back', async () => {
  const core = await started(createCore());
  core.queue.push(message('a', { copy: 1 }), message('a', { copy: 2 }), message('a', { copy: 3 }));
  await core.settle();
  expect(core.queue.processing).toHaveLength(3);
  await paused(core);
  expect(core.queue.processing).toHaveLength(1);
  expect(core.queue.waiting.map(String)).toEqual([message('a', { copy: 3 }), message('a', { copy: 2 })]);
  core.server.post('a').answer(DELIVERED);
  await core.clock.advance(10_000);
  expect(core.server.ids).toEqual(['a']);
});

test('when it is over deliveries go on, and the confirmation is taken back before', async () => {
  const core = await started(createCore());
  await paused(core);
  core.queue.push(message('a'));
  core.pauseInRedis.text = undefined;
  await core.clock.advance(1_000);
  await core.settle();
  expect(core.pauseInRedis.confirmed).toBeUndefined();
  expect(core.server.ids).toEqual(['a']);
});

test('another pause in its place is confirmed too, and nothing begins between them', async () => {
  const core = await started(createCore());
  await paused(core);
  core.queue.push(message('a'));
  await paused(core, 'yes');
  expect(core.pauseInRedis.confirmed).toMatch(/^unnamed-/);
  await core.clock.advance(5_000);
  expect(core.server.ids).toEqual([]);
});

test('who, why and until when are said once, and the end', async () => {
  const core = await started(createCore());
  await paused(core);
  await core.clock.advance(600_000);
  core.pauseInRedis.text = undefined;
  await core.clock.advance(1_000);
  expect(core.log.lines.filter((line) => line.includes('ause'))).toEqual([
    'WARNING Deliveries are paused by anna on web-1 until somebody ends it: new main server; what is in flight goes on',
    expect.stringMatching(/^INFO Deliveries go on: the pause is over after 60\d s$/),
  ]);
});

test('after a stall nothing begins before a look, and goes back when that finds a pause', async () => {
  const core = await started(createCore());
  const answer = core.pauseInRedis.hold();
  core.clock.stepWall(1_500);
  core.pauseInRedis.text = PAUSE;
  core.queue.push(message('a'));
  await core.settle();
  const before = { held: core.queue.processing.length, posts: core.server.ids };
  answer();
  expect(before).toEqual({ held: 1, posts: [] });
  await core.settle();
  expect(core.server.ids).toEqual([]);
  expect(core.queue.waiting).toHaveLength(1);
  expect(core.pauseInRedis.confirmed).toBe('p1');
});

test('after a stall without a pause one look is enough', async () => {
  const core = await started(createCore());
  core.clock.stepWall(1_500);
  core.queue.push(message('a'));
  await core.settle();
  expect(core.server.ids).toEqual(['a']);
});

test('what a look in passing sees is looked at before anything begins', async () => {
  const core = await started(createCore());
  core.pauseInRedis.text = PAUSE;
  core.pause.seen(true);
  core.queue.push(message('a'));
  await core.settle();
  expect(core.server.ids).toEqual([]);
  expect(core.pauseInRedis.confirmed).toBe('p1');
});

test('while Redis is away what was known stands', async () => {
  const core = await started(createCore());
  await paused(core);
  core.pauseInRedis.isUp = false;
  core.pauseInRedis.text = undefined;
  core.queue.push(message('a'));
  await core.clock.advance(5_000);
  expect(core.server.ids).toEqual([]);
  core.pauseInRedis.isUp = true;
  await core.clock.advance(1_000);
  await core.settle();
  expect(core.server.ids).toEqual(['a']);
});

test('where it cannot be seen deliveries go on, and that is said once', async () => {
  const core = createCore();
  core.pauseInRedis.refusal = 'NOPERM no permissions';
  await started(core);
  core.queue.push(message('a'));
  await core.clock.advance(10_000);
  expect(core.server.ids).toEqual(['a']);
  expect(core.log.lines.filter((line) => line.includes('NOPERM'))).toEqual([
    'WARNING It cannot be seen whether deliveries are paused, so they go on: NOPERM no permissions',
  ]);
});
