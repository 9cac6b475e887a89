import { Buffer } from 'node:buffer';
import { membersOf, type Member } from './json-text.js';

/**
 * The message with another `attempt_count` and no other byte changed: 64-bit integers, duplicate keys, escapes, white
 * space and the order of keys survive.
 *
 * Of duplicates the last is changed, since every parser reads the last. Where there is none, it is added after the last
 * member.
 *
 * @param raw a message that parseMessage accepted.
 */
export function withAttemptCount(raw: Buffer, attemptCount: number): Buffer {
  let current: Member | undefined;
  let last: Member | undefined;
  for (const member of membersOf(raw.toString('latin1'))) {
    last = member;
    if (member.key === 'attempt_count') current = member;
  }
  const digits = String(attemptCount);
  if (current !== undefined) return spliced(raw, current.valueStart, current.valueEnd, digits);
  if (last !== undefined) return spliced(raw, last.valueEnd, last.valueEnd, `,"attempt_count":${digits}`);
  throw new TypeError('Only a message that parseMessage accepted can be given an attempt count.');
}

/**
 * The attempt count of a message that must not be parsed: whatever took a process down may be in it. Nested arrays take
 * twenty times their size as objects; stepping over them takes none.
 *
 * @param raw any bytes; 0 when there is no plain number to be found.
 */
export function scannedAttemptCount(raw: Buffer): number {
  let digits = '';
  try {
    const text = raw.toString('latin1');
    for (const { key, valueStart, valueEnd } of membersOf(text)) {
      if (key === 'attempt_count') digits = text.slice(valueStart, valueEnd);
    }
  } catch {
    return 0; // not JSON
  }
  return /^[0-9]{1,15}$/.test(digits) ? Number(digits) : 0;
}

function spliced(raw: Buffer, start: number, end: number, replacement: string): Buffer {
  return Buffer.concat([raw.subarray(0, start), Buffer.from(replacement, 'latin1'), raw.subarray(end)]);
}
