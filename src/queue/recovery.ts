import type { Buffer } from 'node:buffer';
import { deadLetter } from '../domain/dead-letter.js';
import { scannedAttemptCount } from '../domain/attempt-count.js';
import type { Clock } from '../shared/time/clock.js';
import type { Config } from '../shared/config/config.js';
import type { Promotion, QueueSizes, RecoveryQueue, RetryQueue } from './message-queue.js';
import { RedisConnection, type ConnectionEvents } from './connection.js';
import { redisKeys, type RedisKeys } from './keys.js';
import { redisScript } from './script.js';
import { settle } from './settlement.js';

/** A message in flight at this many deaths of a process is buried (DESIGN 3). */
export const POISON_CRASHES = 10;
/** Crashes are forgotten an hour after the last: the counter is for crash loops, not for a bad week. */
const REMEMBER_CRASHES_S = 3_600;
/** Recovered consumers are watched this long for claims that land late; a blocking pop lives 2 s. */
const FORGET_CONSUMER_MS = 86_400_000;
const OLDEST_MESSAGE_BYTES = 65_536;
/** Silence after a command that means the connection is dead. */
export const CONTROL_SILENCE_MS = 3_000;

const expired = redisScript('expired');
const recoverScript = redisScript('recover');
const promote = redisScript('promote');
const sizesScript = redisScript('sizes');

export type BackgroundQueue = RetryQueue & RecoveryQueue;

/** What the duties and the primary do to the queue, over one connection that nothing blocks. */
export function createBackgroundQueue(
  connection: RedisConnection,
  keys: RedisKeys,
  { workerId, clock }: { readonly workerId: string; readonly clock: Clock },
): BackgroundQueue {
  const prefix = keys.processing('');

  async function bury(consumer: string, raw: Buffer): Promise<void> {
    const envelope = deadLetter({
      raw,
      reason: 'poison',
      error: `In flight at ${POISON_CRASHES} deaths of a worker process`,
      // not parsed: what took ten children down would take the primary down, too
      attemptCount: scannedAttemptCount(raw),
      workerId,
      deadAt: clock.wallNow(),
    });
    await settle(connection, keys, consumer, [{ kind: 'bury', claim: { raw, consumer }, envelope }]);
  }

  return {
    isReady: () => connection.isReady(),

    async promoteDue(limit): Promise<Promotion> {
      const [heads, next] = (await promote.run(connection, [keys.retry, keys.queue], [limit])) as [Buffer[], number];
      return { moved: heads.length, messageIds: heads.map(messageIdOf), nextDueMs: next < 0 ? undefined : next };
    },

    async expiredConsumers() {
      const reply = await expired.run(connection, [keys.consumers], [prefix, FORGET_CONSUMER_MS]);
      const [found, next] = reply as [Buffer[], number];
      return { expired: found.map(String), nextExpiryMs: next < 0 ? undefined : next };
    },

    async consumers() {
      return ((await connection.call('ZRANGE', keys.consumers, 0, -1)) as Buffer[]).map(String);
    },

    async recover(consumer, { evenIfLeased }) {
      const reply = await recoverScript.run(
        connection,
        [keys.queue, keys.processing(consumer), keys.consumers, keys.crashes],
        [consumer, evenIfLeased ? '1' : '0', POISON_CRASHES, REMEMBER_CRASHES_S],
      );
      const [recovered, poisoned] = reply as [number, Buffer[]];
      for (const raw of poisoned) await bury(consumer, raw);
      return { recovered: Math.max(0, recovered), buried: poisoned.length };
    },

    async sizes(): Promise<QueueSizes> {
      const scriptKeys = [keys.queue, keys.retry, keys.dead, keys.consumers];
      const reply = await sizesScript.run(connection, scriptKeys, [prefix, OLDEST_MESSAGE_BYTES]);
      const [waiting, processing, retrying, dead, oldest] = reply as [number, number, number, number, Buffer];
      return { waiting, processing, retrying, dead, oldest: oldest.length > 0 ? oldest : undefined };
    },
  };
}

/** The primary's own access to the queue. */
export interface RecoveryConnection {
  readonly queue: BackgroundQueue;
  isReady(): boolean;
  whenReady(timeoutMs: number): Promise<void>;
  /** maxmemory-policy; undefined when Redis does not tell this user. */
  evictionPolicy(): Promise<string | undefined>;
  /** What the last failure to connect said. */
  problem(): string;
  close(): Promise<void>;
}

export function createRecoveryConnection(
  config: Pick<Config, 'redis' | 'queue'>,
  identity: { readonly workerId: string; readonly clock: Clock },
  events: ConnectionEvents = {},
): RecoveryConnection {
  const options = {
    redis: config.redis,
    name: `message-broker-worker:${identity.workerId}`,
    silenceMs: CONTROL_SILENCE_MS,
  };
  const connection = new RedisConnection({ ...options, clock: identity.clock }, events);
  return {
    queue: createBackgroundQueue(connection, redisKeys(config.queue.name), identity),
    isReady: () => connection.isReady(),
    whenReady: (timeoutMs) => connection.whenReady(timeoutMs),
    evictionPolicy: async () => {
      const info = String(await connection.call('INFO', 'memory'));
      return /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
    },
    problem: () => connection.problem,
    close: () => connection.close(),
  };
}

function messageIdOf(head: Buffer): string {
  const encoded = head.toString('latin1').split(' ')[1] ?? '';
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
