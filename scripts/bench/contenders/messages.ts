import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

export interface BenchMessage {
  readonly message_id: string;
  readonly message_body: string;
  readonly queued_at: string;
  readonly attempt_count: number;
}

export const MESSAGE_BYTES = 300;
/** JSON around an empty body. */
const FRAME_BYTES = JSON.stringify({ ...message(0), message_body: '' }).length;
const PUSH_BYTES = 1_048_576;
const PUSH_MESSAGES = 1_000;

/** Of `bytes` bytes as JSON, 150 at least. */
export function message(bytes: number): BenchMessage {
  return {
    message_id: randomUUID(),
    message_body: bytes > 0 ? 'x'.repeat(Math.max(0, bytes - FRAME_BYTES)) : '',
    queued_at: new Date().toISOString(),
    attempt_count: 0,
  };
}

/** Pushes as producers do, many at a time. */
export async function pushMessages(redis: Redis, list: string, count: number, bytes = MESSAGE_BYTES): Promise<void> {
  const chunk = Math.max(1, Math.min(PUSH_MESSAGES, Math.floor(PUSH_BYTES / bytes)));
  for (let pushed = 0; pushed < count; pushed += chunk) {
    const texts = Array.from({ length: Math.min(chunk, count - pushed) }, () => JSON.stringify(message(bytes)));
    await redis.lpush(list, ...texts);
  }
}
