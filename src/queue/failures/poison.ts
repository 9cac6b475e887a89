/** A message that killed its processes has no failed attempt, and is counted among what fails where it is buried. */
import type { Buffer } from 'node:buffer';
import { hourOf } from '../../domain/failures/hours.js';
import { scannedTexts } from '../../domain/scanned-texts.js';
import type { FailureQueue } from '../background-queue.js';

/** Producers put the names at the front. */
const SCANNED_BYTES = 16_384;

/** A side book: what cannot be counted is left out. Never rejects. @param at ms since the Unix epoch. */
export async function countPoison(
  { countFailures }: Pick<FailureQueue, 'countFailures'>,
  raw: Buffer,
  at: number,
): Promise<void> {
  const names = scannedTexts(raw.subarray(0, SCANNED_BYTES), ['message_id', 'client_id', 'domain']);
  const { message_id: messageId = '', client_id: client, domain } = names;
  const group = { reason: 'poison', status: undefined, client, domain };
  await countFailures(hourOf(at), [{ group, attempts: 1, first: at, last: at, messageId }]).catch(() => undefined);
}
