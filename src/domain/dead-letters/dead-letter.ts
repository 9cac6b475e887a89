import { Buffer, isUtf8 } from 'node:buffer';
import type { DeadLetterReason } from './reasons.js';
import { readFailureList, type FailedAttempt } from '../failures/failed-attempt.js';
import { fieldsOfBeginning } from '../scanned-texts.js';

/** A message in flight at this many deaths of a process is buried as `poison`. */
export const POISON_CRASHES = 10;
/** Also what the main server is told, which uses it as a metric label. */
export const POISON_ERROR = `In flight at ${POISON_CRASHES} deaths of a worker process`;
export const MAX_ATTEMPTS_ERROR = 'Max attempts exceeded';

/** From here on a message is not made JSON of: one of 300 MB would hold the loop for seconds, and take a gigabyte. */
const LARGE_BYTES = 1_048_576;
const NEWLINE = 0x0a;
/** The line before a large message is shorter: its longest field, the error, is a sentence. */
const LONGEST_HEAD_BYTES = 65_536;

/**
 * The envelope under which a message lies among the dead letters:
 *
 *   {"dead_at":"2025-01-15T10:30:45.123Z","reason":"malformed","error":"The message is not valid JSON.",
 *    "attempt_count":0,"worker_id":"worker-1","message":"<the message's text>"}
 *
 * `message` is the text of the message as one JSON string, not the object in it: every byte survives. A message that is
 * not UTF-8 has `message_base64` in its place. One of 1 MiB and more has `message_bytes`, their number, and follows the
 * object after a line end, as it is.
 *
 * An envelope that is not UTF-8 was written by somebody else; it is read back byte by byte, so nothing is lost there either.
 */
interface DeadLetter {
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

export function deadLetter({ raw, reason, error, attemptCount, workerId, deadAt }: DeadLetter): Buffer {
  const about = {
    dead_at: new Date(deadAt).toISOString(),
    reason,
    error,
    attempt_count: attemptCount,
    worker_id: workerId,
  };
  return envelope(about, raw);
}

/** @param about its fields without the message. */
export function envelope(about: object, raw: Buffer): Buffer {
  if (raw.length < LARGE_BYTES) return enveloped(about, raw);
  return Buffer.concat([Buffer.from(`${JSON.stringify({ ...about, message_bytes: raw.length })}\n`), raw]);
}

function enveloped(about: object, raw: Buffer): Buffer {
  const message = isUtf8(raw) ? { message: raw.toString('utf8') } : { message_base64: raw.toString('base64') };
  return Buffer.from(JSON.stringify({ ...about, ...message }));
}

/** As version 1.0 reads it: a large message inside. */
export function earlierEnvelope({ raw, reason, error, attemptCount, workerId, deadAt }: StoredDeadLetter): Buffer {
  return enveloped({ dead_at: deadAt, reason, error, attempt_count: attemptCount, worker_id: workerId }, raw);
}

/** What lies in an envelope. Its fields are for display, so one that is missing or of the wrong type is left empty. */
export interface StoredDeadLetter {
  readonly raw: Buffer;
  /** Of the whole message, when `raw` is only its beginning; undefined when the envelope does not tell. */
  readonly rawBytes: number | undefined;
  /** The message follows the envelope, in place of being in it. */
  readonly isLarge: boolean;
  /** One of DEAD_LETTER_REASONS, unless someone else wrote it. */
  readonly reason: string;
  readonly error: string;
  readonly attemptCount: number;
  readonly workerId: string;
  /** As written: ISO 8601 with milliseconds and `Z`. */
  readonly deadAt: string;
  /** Its last failed attempts, the oldest first. */
  readonly failures: readonly FailedAttempt[];
}

const FIELDS = ['dead_at', 'reason', 'error', 'attempt_count', 'worker_id', 'failures', 'message', 'message_base64'];

type Encoding = 'utf8' | 'latin1';
type Fields = Readonly<Record<string, unknown>>;

/**
 * The reverse of deadLetter.
 *
 * @param stored bytes as Redis gave them, or the beginning of them, or text.
 * @param storedBytes how many there are in all; more than `stored` has = it is the beginning, and so is `raw`.
 * @returns undefined when it is no envelope; the caller must not drop it.
 */
export function readDeadLetter(stored: Buffer | string, storedBytes?: number): StoredDeadLetter | undefined {
  const bytes = typeof stored === 'string' ? Buffer.from(stored, 'utf8') : stored;
  return readBytes(bytes, storedBytes ?? bytes.length);
}

function readBytes(stored: Buffer, storedBytes: number): StoredDeadLetter | undefined {
  const large = readLarge(stored, storedBytes);
  if (large) return large;
  if (storedBytes > stored.length) return readBeginning(stored);
  const encoding = isUtf8(stored) ? 'utf8' : 'latin1';
  const fields = parseObject(stored.toString(encoding));
  const raw = rawOf(fields, encoding);
  return raw && letterOf(fields, encoding, { raw, rawBytes: raw.length, isLarge: false });
}

function readLarge(stored: Buffer, storedBytes: number): StoredDeadLetter | undefined {
  const end = stored.subarray(0, LONGEST_HEAD_BYTES).indexOf(NEWLINE);
  if (end < 0) return undefined;
  const fields = parseObject(stored.toString('utf8', 0, end));
  const bytes = fields['message_bytes'];
  return bytes === storedBytes - end - 1
    ? letterOf(fields, 'utf8', { raw: stored.subarray(end + 1), rawBytes: bytes, isLarge: true })
    : undefined;
}

/** Of one that is cut off: earlier versions put a message of any size into JSON. */
function readBeginning(stored: Buffer): StoredDeadLetter | undefined {
  const fields = fieldsOfBeginning(stored, FIELDS);
  const raw = rawOf(fields, 'utf8');
  return raw && letterOf(fields, 'utf8', { raw, rawBytes: undefined, isLarge: false });
}

type StoredMessage = Pick<StoredDeadLetter, 'raw' | 'rawBytes' | 'isLarge'>;

function letterOf(fields: Fields, encoding: Encoding, message: StoredMessage): StoredDeadLetter {
  return {
    ...message,
    reason: textOf(fields, 'reason', encoding),
    error: textOf(fields, 'error', encoding),
    attemptCount: typeof fields['attempt_count'] === 'number' ? fields['attempt_count'] : 0,
    workerId: textOf(fields, 'worker_id', encoding),
    deadAt: textOf(fields, 'dead_at', encoding),
    failures: readFailureList(fields['failures']),
  };
}

function parseObject(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : {};
  } catch {
    return {};
  }
}

function rawOf(fields: Fields, encoding: Encoding): Buffer | undefined {
  const { message, message_base64: base64 } = fields;
  if (typeof message === 'string') return Buffer.from(message, encoding);
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined;
}

function textOf(fields: Fields, name: string, encoding: Encoding): string {
  const value = fields[name];
  if (typeof value !== 'string') return '';
  return encoding === 'utf8' ? value : Buffer.from(value, 'latin1').toString('utf8');
}
