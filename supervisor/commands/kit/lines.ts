/** Files of JSON lines. `node:readline` also ends a line at U+2028, which stands in the texts of messages, and loses bytes. */
import { Buffer } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import { EXIT_FAILURE, reasonOf } from '../../../src/shared/errors.js';
import { CommandError, type CommandContext } from './command.js';

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its end. */
  readonly bytes: Buffer;
}

/** A file that the operator names, or stdin. */
export interface LineSource {
  /** As the operator knows it. */
  readonly name: string;
  /** It can be read a second time: no pipe, no stdin. */
  readonly isRepeatable: boolean;
  /** Throws CommandError when it cannot be read, and for a line that Redis could not hold. */
  lines(): AsyncGenerator<Line>;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
/** Windows puts it in front of a file. */
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
/** Redis holds values up to 512 MB; in base64 they take a third more. */
const LONGEST_LINE_BYTES = 768 * 1_048_576;

/** @param file a path, or `-` for stdin. */
export async function lineSource(file: string, { streams, cwd }: CommandContext): Promise<LineSource> {
  const name = file === '-' ? 'stdin' : file;
  const path = resolve(cwd, file);
  const isRepeatable = file !== '-' && (await isPlainFile(path));
  const open = (): AsyncIterable<Buffer | string> => (file === '-' ? streams.stdin : createReadStream(path));
  return { name, isRepeatable, lines: () => readable(name, linesIn(open())) };
}

async function isPlainFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function* readable(name: string, lines: AsyncGenerator<Line>): AsyncGenerator<Line> {
  try {
    yield* lines;
  } catch (error) {
    throw new CommandError(EXIT_FAILURE, `${name} cannot be read: ${reasonOf(error)}.`, { cause: error });
  }
}

/** Lines without anything in them are passed over, but counted. */
export async function* linesIn(
  chunks: AsyncIterable<Buffer | string>,
  longestBytes = LONGEST_LINE_BYTES,
): AsyncGenerator<Line> {
  let number = 0;
  let begun: Buffer[] = [];
  let begunBytes = 0;
  for await (const given of chunks) {
    const chunk = typeof given === 'string' ? Buffer.from(given, 'utf8') : given;
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      number += 1;
      const line = lineOf(number, [...begun, chunk.subarray(start, end)]);
      if (line) yield line;
      begun = [];
      begunBytes = 0;
      start = end + 1;
    }
    begun.push(chunk.subarray(start));
    begunBytes += chunk.length - start;
    if (begunBytes > longestBytes) throw new Error(`line ${number + 1} is longer than ${longestBytes} bytes`);
  }
  const last = lineOf(number + 1, begun);
  if (last) yield last;
}

/** Undefined when there is nothing in it. */
function lineOf(number: number, parts: readonly Buffer[]): Line | undefined {
  let bytes = Buffer.concat(parts);
  if (number === 1 && bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) {
    bytes = bytes.subarray(BYTE_ORDER_MARK.length);
  }
  if (bytes.at(-1) === RETURN) bytes = bytes.subarray(0, -1);
  return bytes.every((byte) => byte === SPACE || byte === TAB) ? undefined : { number, bytes };
}
