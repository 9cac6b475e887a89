import type { Buffer } from 'node:buffer';
import type { DeadLetterFilter } from '../../domain/dead-letters/filter.js';
import type { RedisConnection } from '../connection/connection.js';

interface Bounds {
  readonly lowest: string;
  readonly highest: string;
}

/** Scores between which a letter has the age that is meant, on Redis's clock, which also set them. */
export async function boundsOf(
  connection: RedisConnection,
  { olderThanMs, newerThanMs }: DeadLetterFilter,
): Promise<Bounds> {
  if (olderThanMs === undefined && newerThanMs === undefined) return { lowest: '-inf', highest: '+inf' };
  const [seconds, micros] = ((await connection.call('TIME')) as Buffer[]).map(Number) as [number, number];
  const now = seconds * 1_000 + micros / 1_000;
  return {
    lowest: newerThanMs === undefined ? '-inf' : (now - newerThanMs).toFixed(3),
    highest: olderThanMs === undefined ? '+inf' : (now - olderThanMs).toFixed(3),
  };
}
