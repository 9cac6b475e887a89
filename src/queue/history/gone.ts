import type { RedisConnection } from '../connection/connection.js';
import type { RedisKeys } from '../keys.js';

/**
 * Tells the book of what an operator takes out of all places, which is no arrival less; or, below zero, of what is put in
 * that has arrived before. Never rejects: without it arrivals are reckoned too low for a while.
 */
export async function noteGone(connection: RedisConnection, keys: RedisKeys, messages: number): Promise<void> {
  if (messages !== 0) await connection.call('HINCRBY', keys.history, 'gone', messages).catch(() => undefined);
}
