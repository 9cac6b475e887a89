import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { Claim } from '../../../src/queue/message-queue.js';
import type { RedisQueue } from '../../../src/queue/claims/claims-and-settlements.js';
import { claim, openQueue, places, QUEUE, settle } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';

/** The promise the product stands on: whatever is done in whatever order, each message is in exactly one place. */
const redis = useRedis();

type Step =
  | { readonly kind: 'produce' | 'promote'; readonly count: number }
  | { readonly kind: 'claim'; readonly worker: number; readonly count: number }
  | { readonly kind: 'ack' | 'retry' | 'bury' | 'hand-back' | 'twice'; readonly worker: number }
  | { readonly kind: 'recover' | 'expire' | 'reconcile'; readonly worker: number };

const worker = fc.integer({ min: 0, max: 1 });
const count = fc.integer({ min: 1, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('produce' as const, 'promote' as const), count }),
  fc.record({ kind: fc.constant('claim' as const), worker, count }),
  fc.record({ kind: fc.constantFrom('ack', 'retry', 'bury', 'hand-back', 'twice'), worker } as const),
  fc.record({ kind: fc.constantFrom('recover', 'expire', 'reconcile'), worker } as const),
);

interface Run {
  readonly queues: readonly RedisQueue[];
  /** Claims each worker believes it holds. */
  readonly held: Claim[][];
  readonly delivered: string[];
  produced: number;
}

const queues: RedisQueue[] = [];
afterAll(async () => {
  await Promise.all(queues.map((queue) => queue.stop()));
});

async function settleOne(run: Run, at: number, kind: 'ack' | 'retry' | 'bury' | 'hand-back' | 'twice'): Promise<void> {
  const queue = run.queues[at]!;
  const taken = run.held[at]!.shift();
  if (!taken) return;
  const id = taken.raw.toString();
  if (kind === 'ack' || kind === 'twice') {
    const ack = { kind: 'ack', claim: taken } as const;
    if ((await settle(queue, ack)).lost.length === 0) run.delivered.push(id);
    if (kind === 'twice') expect((await settle(queue, ack)).lost).toHaveLength(1);
  } else if (kind === 'retry') {
    await settle(queue, { kind, claim: taken, message: taken.raw, messageId: id, delayMs: 0 });
  } else if (kind === 'bury') {
    await settle(queue, { kind, claim: taken, envelope: id });
  } else {
    await settle(queue, { kind, claim: taken });
  }
}

async function perform(run: Run, action: Step): Promise<void> {
  switch (action.kind) {
    case 'produce':
      for (let n = 0; n < action.count; n += 1) await redis.client.lpush(QUEUE, `m${run.produced++}`);
      return;
    case 'promote':
      await run.queues[0]!.background.promoteDue(action.count);
      return;
    case 'claim':
      run.held[action.worker]!.push(...(await claim(run.queues[action.worker]!, action.count)));
      return;
    case 'recover':
      await run.queues[1 - action.worker]!.background.recover(run.queues[action.worker]!.consumer, {
        evenIfLeased: true,
      });
      return;
    case 'expire': {
      const { background } = run.queues[1 - action.worker]!;
      const { leases, late } = await background.register();
      const own = [...leases, ...late].filter(({ consumer }) => consumer === run.queues[action.worker]!.consumer);
      for (const { consumer, score } of own) await background.recover(consumer, { score });
      return;
    }
    case 'reconcile': {
      // a process that lost its memory of every second claim
      run.held[action.worker] = run.held[action.worker]!.filter((_, at) => at % 2 === 0);
      await run.queues[action.worker]!.reconcile(run.held[action.worker]!);
      return;
    }
    case 'ack':
    case 'twice':
    case 'retry':
    case 'bury':
    case 'hand-back':
      return settleOne(run, action.worker, action.kind);
  }
}

test('any sequence of claim, ack, retry, bury, hand back, recover, expire and reconcile keeps one place per message', async () => {
  for (const at of [1, 2]) queues.push(await openQueue(redis.port, `worker-${at}`));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      await redis.client.flushall();
      const run: Run = { queues, held: [[], []], delivered: [], produced: 0 };
      for (const action of steps) {
        await perform(run, action);
        const found = await places(redis.client);
        const dead = found.dead.map((text) =>
          text.startsWith('{') ? (JSON.parse(text) as { message: string }).message : text,
        );
        const all = [...found.waiting, ...found.processing, ...found.retry, ...dead, ...run.delivered].sort();
        const expected = Array.from({ length: run.produced }, (_, n) => `m${n}`).sort();
        expect(all).toEqual(expected);
      }
    }),
    { numRuns: 150 },
  );
});

test('a message is the same bytes wherever it goes', async () => {
  const queue = queues[0]!;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
      await redis.client.flushall();
      // the lease went with the rest
      await queue.renewLease();
      const raw = Buffer.from(bytes);
      await redis.client.lpush(QUEUE, raw);
      const [first] = await claim(queue, 1);
      await settle(queue, { kind: 'retry', claim: first!, message: raw, messageId: 'any', delayMs: 0 });
      await queue.background.promoteDue(1);
      const [second] = await claim(queue, 1);
      await queues[1]!.background.recover(queue.consumer, { evenIfLeased: true });
      expect(second?.raw.equals(raw)).toBe(true);
      expect((await redis.client.lindexBuffer(QUEUE, 0))?.equals(raw)).toBe(true);
    }),
    { numRuns: 100 },
  );
});
