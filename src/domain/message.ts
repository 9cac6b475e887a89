import { isUtf8, type Buffer } from 'node:buffer';
import { withoutPythonNumbers } from './python-json.js';
import { parseQueuedAt } from './queued-at.js';

export { withAttemptCount } from './attempt-count.js';

/** The four fields that are read; all others are carried through untouched. */
export interface Message {
  readonly id: string;
  /** Failed attempts so far; a missing or unusable value counts as 0. */
  readonly attemptCount: number;
  /** Milliseconds since the Unix epoch; undefined when missing or unreadable. */
  readonly queuedAtMs: number | undefined;
  /** Whose clock `queued_at` is of; empty when missing. */
  readonly clientId: string;
}

type ParsedMessage =
  | { readonly ok: true; readonly message: Message }
  /** `problem` is a sentence for the dead letter's `error`, without anything from the message. */
  | { readonly ok: false; readonly problem: string };

/**
 * Reads what producers push. Never throws: what cannot be used is malformed and goes to the dead letters as it is.
 *
 * @param mostBytes more are not read: 64 MB of JSON hold a process for about a second.
 */
export function parseMessage(raw: Buffer, mostBytes = Infinity): ParsedMessage {
  if (raw.length > mostBytes) return malformed('The message is larger than MESSAGE_MAX_BYTES.');
  if (!isUtf8(raw)) return malformed('The message is not valid UTF-8.');
  const value = parseJson(raw);
  if (value === undefined) return malformed('The message is not valid JSON.');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return malformed('The message is not a JSON object.');
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const id = ownField(fields, 'message_id');
  const problem = problemOfId(id);
  if (problem !== undefined) return malformed(problem);
  const clientId = ownField(fields, 'client_id');
  return {
    ok: true,
    message: {
      id: id as string,
      attemptCount: usableAttemptCount(ownField(fields, 'attempt_count')),
      queuedAtMs: parseQueuedAt(ownField(fields, 'queued_at')),
      clientId: typeof clientId === 'string' ? clientId : '',
    },
  };
}

function malformed(problem: string): ParsedMessage {
  return { ok: false, problem };
}

/** Own properties only, so nothing that other code puts on Object.prototype can pass for a field. */
function ownField(fields: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** Undefined when it is not JSON, which no JSON text stands for. */
function parseJson(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch {
    return parsePythonJson(raw);
  }
}

/** Python's json module writes and reads NaN, Infinity and -Infinity. */
function parsePythonJson(raw: Buffer): unknown {
  const json = withoutPythonNumbers(raw);
  if (!json) return undefined;
  try {
    return JSON.parse(json.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Counted in code points; lone surrogates, for which encodeURIComponent throws, are not among them. */
const USABLE_ID = /^[^\p{Cc}\p{Cs}\u2028\u2029]{1,255}$/u;

export function isUsableId(id: string): boolean {
  return problemOfId(id) === undefined;
}

/** The id becomes one segment of a URL path and a word in a log line. */
function problemOfId(id: unknown): string | undefined {
  if (id === undefined) return 'The message has no message_id.';
  if (typeof id !== 'string') return 'The message_id is not a string.';
  if (id === '.' || id === '..') return 'The message_id is a relative path ("." or "..").';
  if (USABLE_ID.test(id)) return undefined;
  return 'The message_id is not 1 to 255 characters long, or has control characters or half a surrogate pair in it.';
}

const DIGITS = /^[0-9]+$/;

function usableAttemptCount(value: unknown): number {
  const number = typeof value === 'string' && DIGITS.test(value) ? Number(value) : value;
  if (typeof number !== 'number') return 0;
  const whole = Math.floor(number);
  return whole > 0 && Number.isSafeInteger(whole) ? whole : 0;
}
