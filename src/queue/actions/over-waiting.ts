import type { Buffer } from 'node:buffer';
import { isCancelMarker } from '../../domain/cancelled.js';
import { scannedTexts } from '../../domain/scanned-texts.js';
import type { RedisConnection } from '../connection/connection.js';
import type { RedisKeys } from '../keys.js';
import { Meaning } from './meaning.js';
import type { ActionRun, Tally } from './run.js';
import { readWaiting, type WaitingEntry } from './waiting-entries.js';

interface Tools {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
}

/**
 * Over all that wait, from the newest to the oldest. What is pushed meanwhile moves the others towards the oldest, so that some
 * are met twice and none is missed; what is claimed moves none.
 */
export async function overWaiting(
  { connection, keys }: Tools,
  run: ActionRun,
  tally: Tally,
  act: (meant: readonly WaitingEntry[]) => Promise<void>,
): Promise<void> {
  const meaning = new Meaning(run.filter, await redisNow(connection));
  for (let from = 0; ;) {
    if (run.signal?.aborted) return void (tally.isInterrupted = true);
    const { entries } = await readWaiting(connection, keys, from);
    if (entries.length === 0) return;
    const meant = entries.filter(({ raw }) => !isCancelMarker(raw) && meaning.isMeant({ raw }));
    tally.meant += meant.length;
    if (run.onMeant) for (const { raw } of meant) run.onMeant({ place: 'waiting', messageId: messageIdOf(raw) });
    if (!run.dryRun && meant.length > 0) await act(meant);
    from += entries.length;
    tally.seen += entries.length;
    run.onProgress?.({ ...tally });
  }
}

function messageIdOf(raw: Buffer): string | undefined {
  return scannedTexts(raw, ['message_id'])['message_id'];
}

async function redisNow(connection: RedisConnection): Promise<number> {
  const [seconds, micros] = ((await connection.call('TIME')) as Buffer[]).map(Number) as [number, number];
  return seconds * 1_000 + micros / 1_000;
}
