/** Who may have how much in flight, of what the whole fleet may (domain/flow/fleet-share.ts). */
import type { Allotment, ShareReport } from '../domain/flow/fleet-share.js';
import type { RedisConnection } from './connection/connection.js';
import { redisScript } from './connection/script.js';
import type { RedisKeys } from './keys.js';

/** After a loss of notes: each worker reports within 4 s of the last time, and soon again where that failed. */
const SETTLING_MS = 6_000;

const shareScript = redisScript('share');

/** undefined = Redis knows no lease of `consumer`. Rejects with RedisUnavailableError. */
export async function takeShare(
  connection: RedisConnection,
  keys: RedisKeys,
  consumer: string,
  { number, cap, held, takesPart, isNoted }: ShareReport,
): Promise<Allotment | undefined> {
  const reply = await shareScript.run(
    connection,
    [keys.shares, keys.consumers],
    [consumer, number, cap, held, takesPart ? 1 : 0, isNoted ? 1 : 0, SETTLING_MS],
  );
  const [limit, share, members] = reply as [number, number, number];
  return limit < 0 ? undefined : { limit, share, members };
}
