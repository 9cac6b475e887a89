import type { Buffer } from 'node:buffer';
import { deadLetter } from '../domain/dead-letters/dead-letter.js';
import type { Clock } from '../shared/time/clock.js';
import type { RedisConnection } from './connection/connection.js';
import { redisScript } from './connection/script.js';
import type { RedisKeys } from './keys.js';

const setAsideScript = redisScript('foreign/set-aside');

/** Who has met it; named in the letters. */
export interface Finder {
  readonly workerId: string;
  readonly clock: Clock;
}

/** Members of the retries that are not ours: into the list of the dead, byte for byte. Resolves to how many are there by our doing. */
export async function setAside(
  connection: RedisConnection,
  keys: RedisKeys,
  { workerId, clock }: Finder,
  members: readonly Buffer[],
): Promise<number> {
  const error = `This lay in ${keys.retry}, and no worker has put it there`;
  const deadAt = clock.wallNow();
  const pairs = members.flatMap((raw) => [
    raw,
    deadLetter({ raw, reason: 'malformed', error, attemptCount: 0, workerId, deadAt }),
  ]);
  return (await setAsideScript.run(connection, [keys.retry, keys.dead], pairs)) as number;
}
