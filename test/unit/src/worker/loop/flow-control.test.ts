/** The work loop at a main server that can be reached, but not bear everything. */
import { afterEach, expect, test } from 'vitest';
import { outcomeOfErrorCode, outcomeOfStatus } from '../../../../../src/domain/delivery-outcome.js';
import { DELIVERED } from '../../../../support/main-server/scripted-main-server.js';
import { closeCores, createCore, message, type Core } from '../core.js';

afterEach(closeCores);

const TIMEOUT_MS = 1_000;
const TIMED_OUT = outcomeOfErrorCode('ETIMEDOUT', 'no answer', true);
const pushed = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => message(`${prefix}${at}`));

/** Answers the good at once and lets the others time out, until nothing more is begun. */
async function serve({ server, clock, settle }: Core, isDone: () => boolean): Promise<number> {
  const from = clock.now();
  let seen = 0;
  let probes = 0;
  const due: { readonly at: number; readonly id: string }[] = [];
  while (!isDone()) {
    for (; seen < server.posts.length; seen += 1) {
      const id = server.ids[seen] ?? '';
      if (id.startsWith('good')) server.posts[seen]?.answer(DELIVERED);
      else due.push({ at: clock.now() + TIMEOUT_MS, id });
    }
    for (; probes < server.probes.length; probes += 1) server.probes[probes]?.answer('reachable');
    while (due[0] && due[0].at <= clock.now()) server.post(due.shift()?.id ?? '').answer(TIMED_OUT);
    await settle();
    if (seen === server.posts.length && probes === server.probes.length) await clock.advance(50);
  }
  return clock.now() - from;
}

test.each(['adaptive', 'fixed'] as const)(
  'messages on which the server hangs hold the others up for no longer than they fill the slots (%s)',
  async (control) => {
    const core = createCore({ concurrency: 4, batchSize: 4, control });
    core.queue.push(...pushed('hangs', 20), ...pushed('good', 10));
    core.workLoop.start();
    const goodOnes = () => core.server.ids.filter((id) => id.startsWith('good')).length;
    const took = await serve(core, () => goodOnes() === 10);
    expect(took).toBeLessThanOrEqual(1.5 * ((20 * TIMEOUT_MS) / 4));
    expect(core.breaker.state).toBe('closed');
  },
);

test('a main server that asks for rest gets it: nothing is claimed, no message changes its time', async () => {
  const core = createCore({ concurrency: 2, batchSize: 2 });
  const { queue, server, clock, settle, log, workLoop } = core;
  server.answerPuts(DELIVERED);
  queue.push(...pushed('m', 1));
  workLoop.start();
  await settle();
  expect(queue.asked.at(-1)).toBe('claimBlocking');
  server.post('m0').answer(outcomeOfStatus(503, '', 20_000));
  await settle();
  expect(queue.asked).toContain('unblock');
  queue.push(...pushed('later', 3));
  await clock.advance(19_900);
  expect(server.ids).toEqual(['m0']);
  expect(server.probes).toEqual([]);
  expect(queue.waiting).toHaveLength(3);
  expect(queue.retrying).toHaveLength(1);
  expect(log.lines).toContain('WARNING Main server asks for 20 s of rest (Retry-After): claiming is paused');
  await clock.advance(600);
  expect(server.ids.slice(0, 3)).toEqual(['m0', 'later0', 'later1']);
  expect(log.lines).toContain('INFO The rest that the main server asked for is over, claiming messages');
});

test('what was claimed while it asked for rest goes back untouched', async () => {
  const { queue, server, settle, workLoop } = createCore({ concurrency: 2, batchSize: 2 });
  queue.push(...pushed('m', 3));
  workLoop.start();
  await settle();
  const release = queue.hold();
  server.post('m0').answer(DELIVERED);
  await settle();
  server.post('m1').answer(outcomeOfStatus(429, '', 5_000));
  await settle();
  release();
  await settle();
  expect(server.ids).toEqual(['m0', 'm1']);
  expect(queue.waiting.map(String)).toEqual([message('m2')]);
});

test('no more are in flight than the limit allows, which rises while they are answered', async () => {
  const { queue, server, settle, workLoop, clock, flow } = createCore({
    concurrency: 16,
    batchSize: 16,
    control: 'adaptive',
  });
  queue.push(...pushed('m', 2_000));
  workLoop.start();
  await settle();
  expect(server.posts).toHaveLength(4);
  for (let answered = 0; flow.limit < 16;) {
    const inFlight = server.posts.length - answered;
    expect(inFlight).toBeLessThanOrEqual(flow.limit);
    await clock.advance(2);
    for (const until = server.posts.length; answered < until; answered += 1) server.posts[answered]?.answer(DELIVERED);
    await settle();
  }
  expect(clock.now()).toBeLessThan(1_000);
});
