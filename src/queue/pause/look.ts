/** The pause of all deliveries, as one consumer looks at it and says that it keeps it. */
import type { Buffer } from 'node:buffer';
import { RedisUnavailableError } from '../../shared/errors.js';
import type { RedisConnection } from '../connection/connection.js';
import { codeIn, replyCode } from '../connection/reply.js';
import { redisScript } from '../connection/script.js';
import type { RedisKeys } from '../keys.js';
import type { KeptPause, PauseLook } from '../background-queue.js';

/** A pause is a line of JSON; whatever else stands there is a pause of which so much is looked at. */
export const TEXT_BYTES = 4_096;
/** Another program's key, or a user who may not look: nobody who pauses deliveries waits for us then. */
const NO_PAUSE = new Set(['WRONGTYPE', 'NOPERM']);

const lookScript = redisScript('pause/look');

/** Rejects with RedisUnavailableError, not where this user may not look or the key is of another type. */
export async function lookAtPause(
  connection: RedisConnection,
  keys: RedisKeys,
  consumer: string,
  kept?: KeptPause,
): Promise<PauseLook> {
  const args = [consumer, kept?.text ?? '', kept?.id ?? '', endOf(kept), TEXT_BYTES];
  try {
    const reply = await lookScript.run(connection, [keys.paused, keys.pausedSeen], args);
    const [paused, text, leftMs, refused] = reply as [number, Buffer, number, Buffer];
    const refusal = refused.length > 0 ? String(refused) : undefined;
    if (paused === 1) return { text: String(text), leftMs: leftMs < 0 ? undefined : leftMs, refusal };
    if (refusal === undefined || NO_PAUSE.has(codeIn(refusal) ?? '')) return nothing(refusal);
    throw new RedisUnavailableError(`Redis refuses a look at ${keys.paused}: ${refusal}`, false);
  } catch (error) {
    if (replyCode(error) !== 'NOPERM') throw error;
    return nothing(error instanceof Error ? error.message : String(error));
  }
}

function endOf(kept: KeptPause | undefined): string {
  return kept?.untilMs === undefined ? '' : String(kept.untilMs);
}

function nothing(refusal: string | undefined): PauseLook {
  return { text: undefined, leftMs: undefined, refusal };
}
