import type { Buffer } from 'node:buffer';
import { parseMessage } from '../message.js';

/** Age of a message in the queue in seconds; undefined when it cannot be read. @param wallNow ms since the Unix epoch. */
export function waitSecondsOf(raw: Buffer | undefined, wallNow: number): number | undefined {
  const parsed = raw && parseMessage(raw);
  if (!parsed?.ok || parsed.message.queuedAtMs === undefined) return undefined;
  return Math.max(0, (wallNow - parsed.message.queuedAtMs) / 1000);
}
