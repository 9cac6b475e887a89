/**
 * A dead letter as one line of a file: its envelope, with its key and its time in the index in front.
 *
 *   {"key":"0123456789ab-1","dead_at_ms":1736937045123.456,"dead_at":"2025-01-15T10:30:45.123Z","reason":"malformed", …,
 *    "message":"<the message's text>"}
 *
 * A message that is not UTF-8, or has 32 MiB and more, is `message_base64`; what is no envelope lies as `stored_base64` in the
 * line, so that nothing is left out. What was read of a line is byte for byte what was written into it.
 */
import { Buffer, isUtf8 } from 'node:buffer';
import { harmlessJson } from '../../shared/words/escape.js';
import { envelope, readDeadLetter } from './dead-letter.js';
import { indexLine } from './index-line.js';

/** As it lies in Redis. */
export interface FiledLetter {
  /** The letter's own for ever. */
  readonly unique: string;
  /** Its score in the index: ms since the Unix epoch on Redis's clock; empty = now. */
  readonly score: string;
  readonly stored: Buffer;
}

/** What was read of a line. */
export interface ReadLetter extends FiledLetter {
  /** Under which it stands in the index. */
  readonly line: string;
}

/** A word of a line of the index; foreign ones, which are exported too, may be any. */
const KEY = /^[^\s\p{Cc}]{1,255}$/u;

/** From here on it is base64 in pieces: no text of it is made. */
const LARGE_BYTES = 32 * 1_048_576;
/** A whole number of triples, each of which is four characters. */
const PIECE_BYTES = 3 * 1_048_576;
const PIECE_CHARACTERS = 4 * 1_048_576;
/** A longer line has base64 in pieces at its end. */
const LONGEST_PARSED_BYTES = 256 * 1_048_576;
/** Key, times, error and failures of a letter are shorter. */
const LONGEST_HEAD_BYTES = 1_048_576;

const OF_THE_MESSAGE: ReadonlySet<string> = new Set(['message', 'message_base64', 'message_bytes']);

/** The line in pieces, with its end. */
export function* letterLine({ unique, score, stored }: FiledLetter): Generator<Buffer> {
  const about = { key: unique, dead_at_ms: Number(score) };
  const letter = readDeadLetter(stored);
  const isOurs =
    letter !== undefined && isUtf8(stored.subarray(0, stored.length - (letter.isLarge ? letter.raw.length : 0)));
  if (!isOurs || (!letter.isLarge && stored.length >= LARGE_BYTES)) {
    yield* pieces(about, 'stored', stored);
    return;
  }
  // once more behind the fields: others may have written a "key"
  const head = { ...about, ...headOf(stored, letter.isLarge), ...about };
  if (letter.raw.length >= LARGE_BYTES || !isUtf8(letter.raw)) {
    yield* pieces(head, 'message', letter.raw);
    return;
  }
  const text = JSON.stringify({ ...head, message: letter.raw.toString('utf8') });
  yield Buffer.from(`${harmlessJson(text)}\n`);
}

/** The fields of an envelope without its message. */
function headOf(stored: Buffer, isLarge: boolean): object {
  const text = isLarge ? stored.toString('utf8', 0, stored.indexOf('\n')) : stored.toString('utf8');
  const fields = Object.entries(JSON.parse(text) as object) as [string, unknown][];
  return Object.fromEntries(fields.filter(([name]) => !OF_THE_MESSAGE.has(name)));
}

function* pieces(head: object, name: 'message' | 'stored', bytes: Buffer): Generator<Buffer> {
  yield Buffer.from(`${harmlessJson(JSON.stringify(head)).slice(0, -1)},"${name}_base64":"`);
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    yield Buffer.from(bytes.toString('base64', at, at + PIECE_BYTES));
  }
  yield Buffer.from('"}\n');
}

/** The reverse of letterLine. `problem`: the end of a sentence, without anything from the line. */
export function readLetterLine(line: Buffer): ReadLetter | { readonly problem: string } {
  const fields = line.length > LONGEST_PARSED_BYTES ? fieldsOfPieces(line) : fieldsOf(line);
  if (!fields) return { problem: 'it is not a JSON object in UTF-8' };
  const { key, dead_at_ms: deadAtMs, message, message_base64: base64, stored_base64: whole, ...about } = fields;
  if (typeof key !== 'string' || !KEY.test(key)) return { problem: 'its "key" is not that of a dead letter' };
  const score = scoreOf(deadAtMs, about['dead_at']);
  if (score === undefined) return { problem: '"dead_at_ms" is not a time in milliseconds' };
  const [given, ...more] = [message, base64, whole].filter((one) => one !== undefined);
  if (given === undefined || more.length > 0) {
    return { problem: 'it must have one of "message", "message_base64" and "stored_base64"' };
  }
  const bytes = message === undefined ? fromBase64(given) : typeof message === 'string' && Buffer.from(message, 'utf8');
  if (!bytes) return { problem: 'its message cannot be read' };
  const stored = whole === undefined ? envelope(about, bytes) : bytes;
  return { unique: key, score, stored, line: indexLine(key, readDeadLetter(stored)) };
}

function fieldsOf(line: Buffer): Record<string, unknown> | undefined {
  if (!isUtf8(line)) return undefined;
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** `message_base64` or `stored_base64` as bytes: a text of it would be longer than a text can be. */
function fieldsOfPieces(line: Buffer): Record<string, unknown> | undefined {
  const mark = '_base64":"';
  const at = line.subarray(0, LONGEST_HEAD_BYTES).indexOf(mark);
  const end = line.length - 2;
  if (at < 0 || line.toString('latin1', end) !== '"}') return undefined;
  const begin = at + mark.length;
  const fields = fieldsOf(Buffer.concat([line.subarray(0, begin), Buffer.from('"}')]));
  if (!fields) return undefined;
  const name = 'stored_base64' in fields ? 'stored_base64' : 'message_base64';
  return { ...fields, [name]: line.subarray(begin, end) };
}

/** Undefined when it is not base64 from end to end: nothing is left out in silence. */
function fromBase64(given: unknown): Buffer | undefined {
  const text = typeof given === 'string' ? Buffer.from(given, 'utf8') : given;
  if (!Buffer.isBuffer(text)) return undefined;
  const parts: Buffer[] = [];
  for (let at = 0; at < text.length; at += PIECE_CHARACTERS) {
    const piece = text.toString('latin1', at, at + PIECE_CHARACTERS);
    const part = Buffer.from(piece, 'base64');
    if (part.toString('base64') !== piece) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Without the time of the index, which is finer, the envelope's. */
function scoreOf(deadAtMs: unknown, deadAt: unknown): string | undefined {
  if (deadAtMs !== undefined) {
    return typeof deadAtMs === 'number' && deadAtMs >= 0 && deadAtMs < 1e15 ? deadAtMs.toFixed(3) : undefined;
  }
  const ms = typeof deadAt === 'string' ? Date.parse(deadAt) : NaN;
  return Number.isFinite(ms) ? ms.toFixed(3) : '';
}
