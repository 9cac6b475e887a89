/** Where a command leaves more than fits a screen: stdout, or a file that is there whole or not at all. */
import type { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { open, rename, rm, stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { resolve } from 'node:path';

import { EXIT_FAILURE, reasonOf } from '../../../src/shared/errors.js';
import { CommandError, type CommandContext } from './command.js';

interface OutputFile {
  readonly file: string;
  /** Replaces one that is there. */
  readonly force: boolean;
}

/**
 * Under another name until it is whole; only its user may read it.
 *
 * @throws CommandError when it is there already, or cannot be written.
 */
export async function writeFile(
  { file, force }: OutputFile,
  { cwd }: Pick<CommandContext, 'cwd'>,
  pieces: AsyncIterable<Buffer>,
): Promise<void> {
  const path = resolve(cwd, file);
  const part = `${path}.part`;
  if (!force && (await isThere(path))) {
    throw new CommandError(EXIT_FAILURE, `${file} is there already; name another, or --force to replace it.`);
  }
  const written = await openPart(file, part);
  try {
    for await (const piece of pieces) await written.appendFile(piece).catch(cannotWrite(file));
    await written.sync().catch(cannotWrite(file));
    await written.close();
    await rename(part, path).catch(cannotWrite(file));
  } catch (error) {
    await written.close().catch(() => undefined);
    await rm(part, { force: true });
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** What an interrupted command left is begun anew. */
async function openPart(file: string, part: string) {
  await rm(part, { force: true }).catch(cannotWrite(file));
  return open(part, 'wx', 0o600).catch(cannotWrite(file));
}

function cannotWrite(file: string): (error: unknown) => never {
  return (error) => {
    throw new CommandError(EXIT_FAILURE, `${file} cannot be written: ${reasonOf(error)}.`, { cause: error });
  };
}

/** Ends early when the reader has gone, as `| head` does. */
export async function writeStream(stream: Writable, pieces: AsyncIterable<Buffer>): Promise<void> {
  for await (const piece of pieces) {
    if (stream.destroyed) return;
    if (!stream.write(piece)) await drained(stream);
  }
}

async function drained(stream: Writable): Promise<void> {
  const end = new AbortController();
  const event = (name: string): Promise<unknown> => once(stream, name, { signal: end.signal }).catch(() => undefined);
  await Promise.race([event('drain'), event('close')]);
  end.abort();
}
