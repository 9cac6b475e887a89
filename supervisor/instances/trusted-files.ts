/**
 * Reads the files of a folder that only its owner could have written: what stands there tells a command which socket to
 * speak to and which configuration to read, so a link, and whatever others may write, is refused with a sentence.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync, type Stats } from 'node:fs';
import { join } from 'node:path';

import type { Place } from './places.js';
import { userText } from './users.js';

const WRITABLE_BY_OTHERS = 0o022;
const FILE_NAME = /^supervisor-\d+-\d+\.json$/;
/** Of one host there are a few; of a file a thousand bytes. */
const MOST_FILES = 1_000;
const MOST_BYTES = 65_536;

interface TrustedFile {
  readonly path: string;
  readonly text: string;
  /** Whose it is; undefined where the system knows no users. */
  readonly owner: number | undefined;
}

/** `refusals` are sentences: what was there and could not be trusted. */
interface Trusted {
  readonly files: readonly TrustedFile[];
  readonly refusals: readonly string[];
}

/** Never throws: a folder that is not there, or that we may not look into, has no files. */
export function trustedFiles({ folder, owner }: Place): Trusted {
  const found = statOf(folder);
  if (found === undefined) return { files: [], refusals: [] };
  const hasUsers = process.getuid !== undefined;
  const why = hasUsers ? distrust(found, owner ?? found.uid) : undefined;
  if (why !== undefined) return { files: [], refusals: [`${folder} ${why}; it is not believed.`] };
  if (!found.isDirectory()) return { files: [], refusals: [] };
  const files: TrustedFile[] = [];
  const refusals: string[] = [];
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    const read = readTrusted(path, hasUsers ? found.uid : undefined);
    if ('text' in read) files.push({ path, text: read.text, owner: hasUsers ? found.uid : undefined });
    else if (read.why !== undefined) refusals.push(`${path} ${read.why}; it is not believed.`);
  }
  return { files, refusals };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => FILE_NAME.test(name))
      .slice(0, MOST_FILES);
  } catch {
    return [];
  }
}

/** `why` undefined = it has gone meanwhile, or we may not read it. */
function readTrusted(
  path: string,
  owner: number | undefined,
): { readonly text: string } | { readonly why: string | undefined } {
  let opened: number | undefined;
  try {
    if (lstatSync(path).isSymbolicLink()) return { why: 'is a link' };
    // what it is might change before it is read, so what was opened is looked at; a fifo would wait for a writer
    opened = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    const found = fstatSync(opened);
    if (!found.isFile()) return { why: 'is no file' };
    const why = owner === undefined ? undefined : distrust(found, owner);
    if (why !== undefined) return { why };
    const bytes = Buffer.alloc(MOST_BYTES);
    return { text: bytes.toString('utf8', 0, readSync(opened, bytes)) };
  } catch {
    return { why: undefined };
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

/** Completes "<path> ..."; undefined when it can be trusted. */
function distrust(found: Stats, owner: number): string | undefined {
  if (found.isSymbolicLink()) return 'is a link';
  if (found.uid !== owner) return `belongs to ${userText(found.uid)}, not to ${userText(owner)}`;
  if ((found.mode & WRITABLE_BY_OTHERS) === 0) return undefined;
  return `can be written by others (mode ${(found.mode & 0o777).toString(8)})`;
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}
