/**
 * Retries lie in a sorted set by due time. A member is `<unique> <encoded message id>:<message>`: two byte-identical
 * messages stay two, and its head names the message for the log without sending it back (promote.lua).
 */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import type { RedisConnection } from './connection/connection.js';
import type { RedisKeys } from './keys.js';
import type { RetryQueue, Settlement } from './message-queue.js';
import { redisScript } from './connection/script.js';

type Retry = Extract<Settlement, { kind: 'retry' }>;

const promoteScript = redisScript('promote');

export function createRetryQueue(connection: RedisConnection, keys: RedisKeys): RetryQueue {
  return {
    isReady: () => connection.isReady(),

    async promoteDue(limit) {
      const reply = await promoteScript.run(connection, [keys.retry, keys.queue], [limit]);
      const [heads, next] = reply as [Buffer[], number];
      return { moved: heads.length, messageIds: heads.map(messageIdOf), nextDueMs: next < 0 ? undefined : next };
    },
  };
}

const incarnation = randomBytes(6).toString('hex');
let count = 0;
const members = new WeakMap<Retry, Buffer>();

/**
 * The same at each try: without a safety copy nothing else keeps a retry whose reply was lost from being scheduled
 * twice.
 */
export function memberOf(retry: Retry): Buffer {
  const known = members.get(retry);
  if (known) return known;
  count += 1;
  const head = `${incarnation}${count.toString(36)} ${encodeURIComponent(retry.messageId)}:`;
  const member = Buffer.concat([Buffer.from(head), retry.message]);
  members.set(retry, member);
  return member;
}

function messageIdOf(head: Buffer): string {
  const encoded = head.toString('latin1').split(' ')[1] ?? '';
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
