/** Status PUTs beside deliveries: the main server serves both from one pool. */
import { afterEach, expect, test } from 'vitest';
import { seeded } from '../../domain/flow/simulator/events.js';
import { DELIVERED, FAILED } from '../../../../support/main-server/scripted-main-server.js';
import { closeCores, createCore, message, type Core } from '../core.js';

afterEach(closeCores);

const pushed = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => message(`${prefix}${at}`));

function allot({ fleet, clock }: Core, limit: number): void {
  const report = fleet.report(clock.now());
  if (report) fleet.allotted(report, { limit, share: limit, members: 3 });
}

/** Answers what is there in an order of chance, half of the POSTs with a failure, and says how many there were at most. */
class RandomServer {
  readonly #core: Core;
  readonly #random: () => number;
  readonly #open: (() => void)[] = [];
  #posts = 0;
  #puts = 0;
  most = 0;

  constructor(core: Core, random: () => number) {
    this.#core = core;
    this.#random = random;
  }

  turn(): void {
    const { posts, puts } = this.#core.server;
    for (; this.#posts < posts.length; this.#posts += 1) {
      const post = posts[this.#posts];
      this.#open.push(() => post?.answer(this.#random() < 0.5 ? FAILED : DELIVERED));
    }
    for (; this.#puts < puts.length; this.#puts += 1) {
      const put = puts[this.#puts];
      this.#open.push(() => put?.answer(DELIVERED));
    }
    this.most = Math.max(this.most, this.#open.length);
    for (const answer of this.#open.splice(Math.floor(this.#random() * this.#open.length), 1)) {
      answer();
    }
  }
}

test.each([1, 2, 3, 5, 8])('a cap of %i holds for POSTs and PUTs together, and both get on', async (cap) => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const random = seeded(seed);
    const core = createCore({ concurrency: 16, batchSize: 16, control: 'fixed' }, { mainServer: { maxInFlight: 9 } });
    const { server, queue, clock, settle, workLoop } = core;
    allot(core, cap);
    queue.push(...pushed('m', 60));
    workLoop.start();
    const all = new RandomServer(core, random);
    for (let turn = 0; turn < 400; turn += 1) {
      await settle();
      all.turn();
      if (random() < 0.05) await clock.advance(20);
    }
    const failed = queue.retrying.length;
    expect({ most: all.most, posts: server.posts.length, puts: server.puts.length }).toEqual({
      most: cap,
      posts: 60,
      puts: failed,
    });
    await workLoop.stop();
  }
});

test('a server that hangs on PUT keeps half of the places from deliveries, and no more', async () => {
  const { server, queue, settle, workLoop } = createCore({ concurrency: 4, batchSize: 4, control: 'fixed' });
  queue.push(...pushed('m', 20));
  server.answerPosts(FAILED);
  workLoop.start();
  await settle();
  expect([server.puts.length, server.posts.length]).toEqual([2, 20]);
  server.answerPosts(undefined);
  queue.push(...pushed('later', 5));
  await settle();
  expect(server.posts.length).toBe(22);
});

test('a limit of one without a cap is no bound of the server: a delivery never waits for a PUT', async () => {
  const { server, queue, settle, workLoop } = createCore({ concurrency: 1, batchSize: 1, control: 'fixed' });
  queue.push(...pushed('m', 5));
  server.answerPosts(FAILED);
  workLoop.start();
  await settle();
  expect([server.puts.length, server.posts.length]).toEqual([1, 5]);
});

test('one that drains tells of what has failed, in the places that it had', async () => {
  const core = createCore({ concurrency: 4, batchSize: 4, control: 'fixed' }, { mainServer: { maxInFlight: 9 } });
  const { server, queue, clock, settle, workLoop, fleet } = core;
  allot(core, 3);
  queue.push(...pushed('m', 3));
  workLoop.start();
  await settle();
  const drained = workLoop.drain(20_000);
  await clock.advance(1_000);
  allot(core, 0);
  for (const post of server.posts) post.answer(FAILED);
  await settle();
  expect(server.puts).toHaveLength(1);
  expect(fleet.kept).toBe(1);
  for (let told = 0; told < 3; told += 1) {
    server.puts[told]?.answer(DELIVERED);
    await settle();
  }
  await drained;
  expect(server.puts).toHaveLength(3);
});

test('what waits for a place is left out when its time is over, and its message waits no longer', async () => {
  const { server, queue, clock, settle, workLoop, copies } = createCore({
    concurrency: 2,
    batchSize: 2,
    control: 'fixed',
  });
  queue.push(...pushed('m', 2));
  workLoop.start();
  await settle();
  for (const post of server.posts) post.answer(FAILED);
  await settle();
  expect(server.puts.map(({ id }) => id)).toEqual(['m0']);
  await clock.advance(11_000);
  expect([copies.take('m0'), copies.take('m1')]).toEqual([false, true]);
});
