import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';

/** Of a larger claim only so much of both ends is compared: SHA-1 of 50 MB would hold Redis for 150 ms. */
export const DIGESTED_END_BYTES = 32_768;

/** By which reconcile.lua knows a claim: what is held may be 50 MB each, too much to be sent again. */
export function digestOf(raw: Buffer): string {
  const compared =
    raw.length > DIGESTED_END_BYTES
      ? Buffer.concat([raw.subarray(0, DIGESTED_END_BYTES), raw.subarray(-DIGESTED_END_BYTES)])
      : raw;
  return `${raw.length} ${createHash('sha1').update(compared).digest('hex')}`;
}
