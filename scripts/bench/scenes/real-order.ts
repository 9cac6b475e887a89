/**
 * As the real proxy does it: LPUSH first, registered 20 to 90 ms later, ten messages a second on a quiet system. End to end
 * beside the floor, below which nobody comes: the registration and one delivery.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../contenders/contender.js';
import { message, MESSAGE_BYTES } from '../contenders/messages.js';
import { QUEUE, startOurs } from '../contenders/our-supervisor.js';
import { quantile } from '../measure/statistics.js';
import type { Account } from '../sinks/original-sink-process.js';
import { OriginalSink } from '../sinks/original-sink.js';
import { sharedClockMs } from '../sinks/shared-clock.js';
import type { Stand } from '../stand.js';

export interface RealOrder {
  readonly messages: number;
  /** Milliseconds from LPUSH to the answer 200. */
  readonly p50: number;
  readonly p99: number;
  readonly floorP50: number;
  readonly floorP99: number;
  /** POSTs per message that were answered 404. */
  readonly wastedPosts: number;
}

interface RealOrderOptions {
  /** The first of them teach the worker how late registration is, and do not count. */
  readonly warmUp: number;
  readonly messages: number;
}

const LATENESS = { unknownForMs: 20, unknownSpreadMs: 70 };
const DELIVERY_MS = 8;
const GAP_MS = 100;
const CONCURRENCY = 4;

export async function measureRealOrder(stand: Stand, { warmUp, messages }: RealOrderOptions): Promise<RealOrder> {
  await stand.redis.flushall();
  const sink = new OriginalSink(stand.certificates, LATENESS, DELIVERY_MS);
  try {
    await sink.start();
    const ours = await startOurs(stand, { concurrency: CONCURRENCY, url: sink.url });
    try {
      await produce(stand, sink, warmUp);
      await sink.take();
      const sentAt = await produce(stand, sink, messages);
      return realOrderOf(await sink.take(), sentAt);
    } finally {
      await ours.stop();
    }
  } finally {
    await sink.stop();
  }
}

/** When each id was sent, on the shared clock. Resolves when all are delivered. */
async function produce({ redis }: Stand, sink: OriginalSink, count: number): Promise<Map<string, number>> {
  const sentAt = new Map<string, number>();
  for (let sent = 0; sent < count; sent++) {
    const one = message(MESSAGE_BYTES);
    sink.enqueued([one.message_id]);
    sentAt.set(one.message_id, sharedClockMs());
    await redis.lpush(QUEUE, JSON.stringify(one));
    await sleep(GAP_MS);
  }
  await until(async () => (await sink.delivered()) >= count);
  return sentAt;
}

export function realOrderOf({ messages }: Pick<Account, 'messages'>, sentAt: ReadonlyMap<string, number>): RealOrder {
  const since = (id: string, atMs = NaN) => atMs - (sentAt.get(id) ?? NaN);
  const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
  const took = sorted(messages.map(({ id, deliveredAtMs }) => since(id, deliveredAtMs)));
  const floor = sorted(messages.map(({ id, knownAtMs }) => since(id, knownAtMs) + DELIVERY_MS));
  const posts = messages.reduce((sum, one) => sum + one.posts, 0);
  return {
    messages: messages.length,
    p50: quantile(took, 0.5),
    p99: quantile(took, 0.99),
    floorP50: quantile(floor, 0.5),
    floorP99: quantile(floor, 0.99),
    wastedPosts: posts / messages.length - 1,
  };
}
