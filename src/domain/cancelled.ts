/**
 * What stands in the queue in place of a message that was taken out of it: an element in the middle of a Redis list can be
 * overwritten, and not removed. Workers drop it; a Python worker takes it for malformed.
 */
import type { Buffer } from 'node:buffer';

/** Also what the main server is told, which uses it as a metric label. */
export const CANCELLED_ERROR = 'Cancelled by an operator';

const MOST_BYTES = 64;
const MARKER = /^\{"cancelled":"[0-9a-z-]{1,40}"\}$/;

/** @param unique lower-case letters, digits and hyphens. */
export function cancelMarker(unique: string): string {
  return `{"cancelled":"${unique}"}`;
}

export function isCancelMarker(raw: Buffer): boolean {
  return raw.length <= MOST_BYTES && MARKER.test(raw.toString('latin1'));
}
