import type { Redis } from 'ioredis';

/** Commands by which a client asks Redis to do something for its messages; those that scripts call do not count. */
const ROUND_TRIPS = new Set(['eval', 'evalsha', 'blmove', 'brpoplpush', 'brpop', 'bzpopmin']);

/** Round trips of all clients since the start of Redis. */
export async function roundTrips(redis: Redis): Promise<number> {
  let calls = 0;
  for (const [, name, count] of (await redis.info('commandstats')).matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)) {
    if (ROUND_TRIPS.has(name ?? '')) calls += Number(count);
  }
  return calls;
}
