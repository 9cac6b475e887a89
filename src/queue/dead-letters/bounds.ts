import type { Buffer } from 'node:buffer';
import { isTimed, timeBoundsOf, type MessageFilter } from '../../domain/filter/message-filter.js';
import type { RedisConnection } from '../connection/connection.js';

interface Bounds {
  readonly lowest: string;
  readonly highest: string;
}

/** Scores between which a letter died when it is meant, on Redis's clock, which also set them. @param redisNow where it is known already. */
export async function boundsOf(connection: RedisConnection, filter: MessageFilter, redisNow?: number): Promise<Bounds> {
  if (!isTimed(filter)) return { lowest: '-inf', highest: '+inf' };
  const { from, to } = timeBoundsOf(filter, redisNow ?? (await timeOf(connection)));
  return { lowest: scoreOf(from), highest: scoreOf(to) };
}

function scoreOf(ms: number): string {
  if (Number.isFinite(ms)) return ms.toFixed(3);
  return ms < 0 ? '-inf' : '+inf';
}

/** Redis's clock, ms since the Unix epoch. */
export async function timeOf(connection: RedisConnection): Promise<number> {
  const [seconds, micros] = ((await connection.call('TIME')) as Buffer[]).map(Number) as [number, number];
  return seconds * 1_000 + micros / 1_000;
}
