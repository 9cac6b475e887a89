import { Buffer, isUtf8 } from 'node:buffer';
import type { DeadLetterReason } from './dead-letter-reasons.js';

/**
 * The envelope under which a message lies in the list of the dead:
 *
 *   {"dead_at":"2025-01-15T10:30:45.123Z","reason":"malformed","error":"The message is not valid JSON.",
 *    "attempt_count":0,"worker_id":"worker-1","message":"<the message's text>"}
 *
 * `message` is the text of the message as one JSON string, not the object in it: every byte survives. A message that is
 * not UTF-8 has `message_base64` in its place.
 *
 * The queue's recovery script buries `poison` with the same six keys, `message` by cjson.encode of the bytes. Lua cannot
 * tell whether they are UTF-8; an envelope that is not is read back byte by byte, so nothing is lost there either.
 */
export interface DeadLetter {
  readonly raw: Buffer;
  readonly reason: DeadLetterReason;
  /** A sentence, or the error message of the last attempt. */
  readonly error: string;
  /** Failed attempts so far. */
  readonly attemptCount: number;
  readonly workerId: string;
  /** A Date, or milliseconds since the Unix epoch. */
  readonly deadAt: Date | number;
}

export function deadLetter({ raw, reason, error, attemptCount, workerId, deadAt }: DeadLetter): string {
  return JSON.stringify({
    dead_at: new Date(deadAt).toISOString(),
    reason,
    error,
    attempt_count: attemptCount,
    worker_id: workerId,
    ...(isUtf8(raw) ? { message: raw.toString('utf8') } : { message_base64: raw.toString('base64') }),
  });
}

/** What lies in an envelope. Its fields are for display, so one that is missing or of the wrong type is left empty. */
export interface StoredDeadLetter {
  readonly raw: Buffer;
  /** One of DEAD_LETTER_REASONS, unless someone else wrote it. */
  readonly reason: string;
  readonly error: string;
  readonly attemptCount: number;
  readonly workerId: string;
  /** As written: ISO 8601 with milliseconds and `Z`. */
  readonly deadAt: string;
}

/**
 * The reverse of deadLetter.
 *
 * @param stored bytes as Redis gave them, or text.
 * @returns undefined when it is no envelope; the caller must not drop it.
 */
export function readDeadLetter(stored: Buffer | string): StoredDeadLetter | undefined {
  const bytes = typeof stored === 'string' ? Buffer.from(stored, 'utf8') : stored;
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
  const fields = parseObject(bytes.toString(encoding));
  const raw = rawOf(fields, encoding);
  if (raw === undefined) return undefined;
  return {
    raw,
    reason: textOf(fields, 'reason', encoding),
    error: textOf(fields, 'error', encoding),
    attemptCount: typeof fields['attempt_count'] === 'number' ? fields['attempt_count'] : 0,
    workerId: textOf(fields, 'worker_id', encoding),
    deadAt: textOf(fields, 'dead_at', encoding),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parseObject(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : {};
  } catch {
    return {};
  }
}

function rawOf(fields: Fields, encoding: 'utf8' | 'latin1'): Buffer | undefined {
  const { message, message_base64: base64 } = fields;
  if (typeof message === 'string') return Buffer.from(message, encoding);
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined;
}

function textOf(fields: Fields, name: string, encoding: 'utf8' | 'latin1'): string {
  const value = fields[name];
  if (typeof value !== 'string') return '';
  return encoding === 'utf8' ? value : Buffer.from(value, 'latin1').toString('utf8');
}
