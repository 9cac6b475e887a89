import type { Buffer } from 'node:buffer';
import type { RedisConnection } from './connection/connection.js';
import type { RedisKeys } from './keys.js';
import type { QueueSizes } from './message-queue.js';
import { redisScript } from './connection/script.js';

const OLDEST_MESSAGE_BYTES = 65_536;

const sizesScript = redisScript('sizes');

/** Counts the messages in each place. Rejects with RedisUnavailableError. */
export async function readSizes(connection: RedisConnection, keys: RedisKeys): Promise<QueueSizes> {
  const reply = await sizesScript.run(
    connection,
    [keys.queue, keys.retry, keys.dead, keys.consumers, keys.deadIndex],
    [keys.processing(''), OLDEST_MESSAGE_BYTES],
  );
  const [waiting, processing, retrying, dead, oldest, deadInbox] = reply as [
    number,
    number,
    number,
    number,
    Buffer,
    number,
  ];
  return { waiting, processing, retrying, dead, deadInbox, oldest: oldest.length > 0 ? oldest : undefined };
}
