import { readFileSync, statSync } from 'node:fs';

import { causeOf } from './file-error.js';
import type { Findings } from './layer.js';

/** The file could not be read as text; `message` is why, in words. */
export class NoTextError extends Error {
  constructor(
    message: string,
    readonly isMissing: boolean,
  ) {
    super(message);
  }
}

/**
 * The text of a file that an operator wrote. The byte order mark that Windows editors write is no part of it. PowerShell's
 * `>` writes UTF-16, which is read as well; read as UTF-8 it would be a file without one known name.
 * @throws NoTextError
 */
export function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const cause = causeOf(error);
    throw new NoTextError(cause, cause === 'no such file');
  }
  const text = bytes.toString(isUtf16(bytes) ? 'utf16le' : 'utf8').replace(/^\uFEFF/, '');
  if (text.includes('\0')) throw new NoTextError('it has zero bytes: save it as UTF-8', false);
  return text;
}

/** Turns the big-endian kind into the little-endian one, in place. */
function isUtf16(bytes: Buffer): boolean {
  const isWhole = bytes.length % 2 === 0;
  if (isWhole && bytes[0] === 0xfe && bytes[1] === 0xff) bytes.swap16();
  return isWhole && bytes[0] === 0xff && bytes[1] === 0xfe;
}

/** Warns when a file with secrets in it can be read by every user of the host. */
export function warnIfExposed(file: { path: string; label: string }, secrets: readonly string[], to: Findings): void {
  if (secrets.length === 0 || process.platform === 'win32') return;
  const mode = statSync(file.path, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o004) === 0) return;
  to.warnings.push(
    `${file.label} holds ${secrets.join(', ')} and can be read by every user of this host ` +
      `(mode 0${(mode & 0o777).toString(8)}); run: chmod o-rwx ${file.path}`,
  );
}
