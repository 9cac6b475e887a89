/** What the log files of this host say of a message. */
import { Buffer } from 'node:buffer';
import { open, type FileHandle } from 'node:fs/promises';

import type { Config } from '../../../src/shared/config/config.js';
import { datedFiles } from '../../../src/shared/logger/log-folder.js';
import { printable } from '../../../src/shared/words/escape.js';

const MOST_LINES = 5;
const BLOCK_BYTES = 1_048_576;
/** A second or two of reading: as much as a busy day writes. */
const MOST_BYTES = 1_073_741_824;
const NEWLINE = 0x0a;

/** The last lines that name it, the oldest first; none also when there is no log here, or none that we may read. */
export async function linesInLog({ directory, fileName }: Config['logging'], id: string): Promise<readonly string[]> {
  const search: Search = { needle: Buffer.from(printable(id, 255)), lines: [], bytesLeft: MOST_BYTES };
  for (const path of filesOf(directory, fileName)) {
    if (search.lines.length >= MOST_LINES || search.bytesLeft <= 0) break;
    const file = await open(path).catch(() => undefined);
    if (!file) continue;
    try {
      await searchBackwards(file, search);
    } finally {
      await file.close();
    }
  }
  return search.lines.toReversed();
}

function filesOf(directory: string, fileName: string): readonly string[] {
  try {
    return datedFiles(directory, fileName);
  } catch {
    return [];
  }
}

interface Search {
  readonly needle: Buffer;
  /** The newest first. */
  readonly lines: string[];
  bytesLeft: number;
}

async function searchBackwards(file: FileHandle, search: Search): Promise<void> {
  let end = (await file.stat()).size;
  // the end of a line that begins in the block before
  let rest: Buffer = Buffer.alloc(0);
  while (end > 0 && search.bytesLeft > 0 && search.lines.length < MOST_LINES) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const block = Buffer.alloc(end - start);
    await file.read(block, 0, block.length, start);
    const text = Buffer.concat([block, rest]);
    const firstEnd = start === 0 ? -1 : text.indexOf(NEWLINE);
    // a line may be longer than a block
    if (start > 0 && firstEnd < 0) rest = text.length > 16 * BLOCK_BYTES ? Buffer.alloc(0) : text;
    else {
      collect(text.subarray(firstEnd + 1), search);
      rest = text.subarray(0, firstEnd + 1);
    }
    search.bytesLeft -= block.length;
    end = start;
  }
}

function collect(text: Buffer, { needle, lines }: Search): void {
  for (let at = text.lastIndexOf(needle); at >= 0 && lines.length < MOST_LINES;) {
    const start = text.lastIndexOf(NEWLINE, at) + 1;
    const end = text.indexOf(NEWLINE, at);
    if (isWhole(text, at, needle.length)) lines.push(text.toString('utf8', start, end < 0 ? text.length : end));
    const before = isWhole(text, at, needle.length) ? start - 1 : at - 1;
    at = before < 0 ? -1 : text.lastIndexOf(needle, before);
  }
}

const IN_AN_ID = /[\w-]/;

/** `m1` is not named in a line of `m10`. */
function isWhole(text: Buffer, at: number, length: number): boolean {
  const around = [text.subarray(Math.max(0, at - 1), at), text.subarray(at + length, at + length + 1)];
  return around.every((byte) => !IN_AN_ID.test(byte.toString('latin1')));
}
