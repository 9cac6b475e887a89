/**
 * The folder of pidfile and control socket. Whoever can write there can pose as the supervisor or take its socket, so both
 * the supervisor and those who ask it look at the folder first: no link, of one's own, and nobody else may write there.
 */
import { closeSync, constants, fchmodSync, fstatSync, lstatSync, mkdirSync, openSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

import { BrokerError, reasonOf } from '../../src/shared/errors.js';

/** The runtime folder cannot be used, or not be trusted. */
export class RuntimeDirError extends BrokerError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('E_RUNTIME_DIR', message, options);
  }
}

const WRITABLE_BY_OTHERS = 0o022;
const ROOT = 0;

/** For the supervisor: makes the folder if there is none, and keeps all others out. @throws RuntimeDirError */
export function makePrivate(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(folder, error);
  }
  const uid = process.getuid?.();
  if (uid === undefined) return; // Windows: the folder inherits its owner's rights
  refuse(folder, lstatSync(folder), [uid]);
  let opened: number | undefined;
  try {
    // what it is might have changed since
    opened = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    refuse(folder, fstatSync(opened), [uid]);
    fchmodSync(opened, 0o700);
  } catch (error) {
    throw error instanceof RuntimeDirError ? error : unusable(folder, error);
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

/**
 * For those who ask: may what answers in that folder be believed? A folder that is not there is no matter of trust.
 *
 * Root serves others' supervisors, too: it may ask in any folder that stands where only root or its owner could put it.
 * @param owner whose it must be, when that is known.
 * @throws RuntimeDirError
 */
export function checkTrusted(folder: string, owner?: number): void {
  const uid = process.getuid?.();
  const found = uid === undefined ? undefined : statOf(folder);
  if (uid === undefined || found === undefined) return;
  if (owner !== undefined) return refuse(folder, found, [owner]);
  const parent = statOf(dirname(folder));
  const isOpenPlace = parent !== undefined && (parent.mode & WRITABLE_BY_OTHERS) !== 0;
  refuse(folder, found, uid === ROOT && !isOpenPlace ? undefined : [uid, ROOT]);
}

/** @param owners who may own it; undefined = anybody. */
function refuse(folder: string, found: Stats, owners: readonly number[] | undefined): void {
  const named = `SUPERVISOR_RUNTIME_DIR ${folder}`;
  if (found.isSymbolicLink()) {
    throw new RuntimeDirError(`${named} is a link, which others may have put there; name the folder itself.`);
  }
  if (!found.isDirectory()) throw new RuntimeDirError(`${named} cannot be used: it is no folder.`);
  if (owners !== undefined && !owners.includes(found.uid)) {
    throw new RuntimeDirError(`${named} belongs to another user (uid ${found.uid}); name a folder of your own.`);
  }
  if ((found.mode & WRITABLE_BY_OTHERS) !== 0) {
    throw new RuntimeDirError(
      `${named} can be written by others (mode ${(found.mode & 0o777).toString(8)}), who may have put files there; ` +
        `look into it, then run: chmod 700 ${folder}`,
    );
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined; // whoever connects is told what is wrong
  }
}

function unusable(folder: string, error: unknown): RuntimeDirError {
  return new RuntimeDirError(`SUPERVISOR_RUNTIME_DIR ${folder} cannot be used: ${reasonOf(error)}`, { cause: error });
}
