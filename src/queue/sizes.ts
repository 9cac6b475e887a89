import type { Buffer } from 'node:buffer';
import type { RedisConnection } from './connection/connection.js';
import type { RedisKeys } from './keys.js';
import type { QueueSizes } from './message-queue.js';
import { explained } from './connection/script-refusal.js';
import { redisScript } from './connection/script.js';

const OLDEST_MESSAGE_BYTES = 65_536;

const sizesScript = redisScript('sizes');

/** Counts the messages in each place. Rejects with RedisUnavailableError. */
export async function readSizes(connection: RedisConnection, keys: RedisKeys): Promise<QueueSizes> {
  const consumers = await consumersIn(connection, keys);
  // Redis must be told of every key before a script runs
  const lists = consumers.map((consumer) => keys.processing(consumer));
  const reply = await sizesScript.run(
    connection,
    [keys.queue, keys.retry, keys.dead, keys.deadIndex, ...lists],
    [OLDEST_MESSAGE_BYTES],
  );
  const [waiting, processing, retrying, dead, oldest, deadInbox, firstDue, now] = reply as [
    number,
    number,
    number,
    number,
    Buffer,
    number,
    Buffer,
    Buffer,
  ];
  return {
    waiting,
    processing,
    retrying,
    dead,
    deadInbox,
    oldest: oldest.length > 0 ? oldest : undefined,
    firstRetryDueMs: numberOf(firstDue),
    redisNow: numberOf(now),
  };
}

function numberOf(text: Buffer): number | undefined {
  const value = Number(text);
  return text.length > 0 && Number.isFinite(value) ? value : undefined;
}

/** All that Redis knows. Rejects with RedisUnavailableError. */
export async function consumersIn(connection: RedisConnection, keys: RedisKeys): Promise<string[]> {
  try {
    return ((await connection.call('ZRANGE', keys.consumers, 0, -1)) as Buffer[]).map(String);
  } catch (error) {
    throw await explained(error, connection, { text: '', keys: [keys.consumers] });
  }
}
