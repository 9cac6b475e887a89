/** Gives back what dead consumers held, and buries what killed its process again and again. */
import type { Buffer } from 'node:buffer';
import { scannedAttemptCount } from '../domain/attempt-count.js';
import { deadLetter, POISON_CRASHES } from '../domain/dead-letter.js';
import type { Clock } from '../shared/time/clock.js';
import type { RedisConnection } from './connection/connection.js';
import type { RedisKeys } from './keys.js';
import type { RecoveryQueue } from './message-queue.js';
import { redisScript } from './connection/script.js';
import { settle } from './settlement.js';

/** Crashes are forgotten an hour after the last: the counter is for crash loops, not for a bad week. */
const REMEMBER_CRASHES_S = 3_600;
/** Recovered consumers are watched this long for claims that land late; a blocking pop lives 2 s. */
const FORGET_CONSUMER_MS = 86_400_000;

const expiredScript = redisScript('expired');
const recoverScript = redisScript('recover');

/** Who recovers; named in the letters of what it buries. */
export interface RecoveryIdentity {
  readonly workerId: string;
  readonly clock: Clock;
}

export function createRecoveryQueue(
  connection: RedisConnection,
  keys: RedisKeys,
  { workerId, clock }: RecoveryIdentity,
): RecoveryQueue {
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

    async expiredConsumers() {
      const reply = await expiredScript.run(connection, [keys.consumers], [keys.processing(''), FORGET_CONSUMER_MS]);
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
  };
}
