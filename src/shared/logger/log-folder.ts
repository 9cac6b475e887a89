/**
 * What one process does for the folder that all write to: `worker.log` leads to today's file, and files older than the
 * retention go. Decided by names alone, so nothing depends on which process wrote what.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, lstatSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, parse } from 'node:path';
import { LogFileError } from './log-file-error.js';

const DAY_MS = 86_400_000;

/**
 * Makes `<folder>/<fileName>` a link to `target` (a file of the same folder). It is switched by a rename, so a reader
 * finds either the old or the new file, never none.
 *
 * A regular file of that name is the Python worker's own log: it is kept as `worker-before-<date>.log`.
 *
 * @param date `YYYY-MM-DD` of today.
 * @throws LogFileError when the name is taken by something else.
 * @throws NodeJS.ErrnoException when the folder does not allow it.
 */
export function pointLinkAt(target: string, fileName: string, date: string): void {
  const link = join(dirname(target), fileName);
  const present = lstatSync(link, { throwIfNoEntry: false });
  if (present?.isSymbolicLink() && readlinkSync(link) === basename(target)) return;
  if (present?.isDirectory())
    throw new LogFileError(`${link} is a folder; it should be free for the link to ${target}.`);
  if (present?.isFile()) {
    if (isSameFile(link, target)) return;
    if (!isHardLink(link, fileName)) renameSync(link, freeName(link, date));
  }
  const temporary = join(dirname(link), `.${fileName}.${process.pid}`);
  rmSync(temporary, { force: true });
  makeLink(target, temporary);
  renameSync(temporary, link);
}

/**
 * Deletes the dated files, also gzipped ones, whose date lies more than `retentionDays` before `date`. Touches no other
 * name. Returns what it deleted.
 */
export function deleteExpired(
  directory: string,
  fileName: string,
  { date, retentionDays }: { readonly date: string; readonly retentionDays: number },
): string[] {
  const oldest = Date.parse(date) - retentionDays * DAY_MS; // plain dates parse as UTC, where every day has 24 hours
  const expired = readdirSync(directory).filter((name) => {
    const fileDate = dateIn(name, fileName);
    return fileDate !== undefined && Date.parse(fileDate) < oldest;
  });
  for (const name of expired) rmSync(join(directory, name), { force: true });
  return expired;
}

/** `worker.log` of 2025-01-15 is `worker-2025-01-15.log`; with `%DATE%` for the date, the pattern of the package. */
export function datedName(fileName: string, date: string): string {
  const { name, ext } = parse(fileName);
  return `${name}-${date}${ext}`;
}

/** The files of all days that can be read as they are, the newest first. @throws NodeJS.ErrnoException when the folder cannot be read. */
export function datedFiles(directory: string, fileName: string): readonly string[] {
  const names = readdirSync(directory).filter((name) => dateIn(name, fileName) !== undefined && !name.endsWith('.gz'));
  return names
    .sort()
    .reverse()
    .map((name) => join(directory, name));
}

/** `worker-2025-01-15.1.log`: the older half of a day whose log is too large (LOG_MAX_SIZE). */
export function asideName(path: string): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}.1${ext}`);
}

/**
 * Sets the file aside, in the place of the one before it. Others do so, too, from other processes or machines: so whatever
 * lies there is taken by a name of our own, which succeeds for one of all, and looked at then. What is smaller than
 * `leastBytes` is the new file of somebody who came first, and goes back. Returns whether the file was set aside.
 *
 * @throws NodeJS.ErrnoException when the folder does not allow it.
 */
export function setAside(path: string, leastBytes: number): boolean {
  const taken = takenName(path);
  try {
    renameSync(path, taken);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  if (lstatSync(taken).size >= leastBytes) {
    renameSync(taken, asideName(path));
    return true;
  }
  putBack(taken, path);
  return false;
}

/** Where somebody has made a new one already, the lines stay under the name that they have: it expires like the others. */
function putBack(taken: string, path: string): void {
  try {
    linkSync(taken, path);
    rmSync(taken);
  } catch {
    if (!existsSync(path)) renameSync(taken, path);
  }
}

/** `worker-2025-01-15.1-0f3a9c21.log`: for a moment, or for good where its process died in it. */
function takenName(path: string): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}.1-${randomBytes(4).toString('hex')}${ext}`);
}

/** The date in a name like `worker-2025-01-15.log`, `worker-2025-01-15.1.log`, as above, or `worker-2025-01-15.log.gz`. */
function dateIn(name: string, fileName: string): string | undefined {
  const { name: base, ext } = parse(fileName);
  const plain = name.endsWith('.gz') ? name.slice(0, -'.gz'.length) : name;
  if (!plain.startsWith(`${base}-`) || !plain.endsWith(ext)) return undefined;
  const date = plain.slice(base.length + 1, plain.length - ext.length);
  return /^(\d{4}-\d{2}-\d{2})(\.1(-[0-9a-f]{8})?)?$/.exec(date)?.[1];
}

/** Windows allows symbolic links only to the privileged. */
function makeLink(target: string, path: string): void {
  try {
    symlinkSync(basename(target), path);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    linkSync(target, path);
  }
}

function isRefusal(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EPERM' || code === 'ENOSYS' || code === 'ENOTSUP' || code === 'EINVAL';
}

/** A hard link that an earlier day's switch left: its content also stands under a dated name. */
function isHardLink(link: string, fileName: string): boolean {
  return readdirSync(dirname(link)).some(
    (name) => dateIn(name, fileName) !== undefined && isSameFile(link, join(dirname(link), name)),
  );
}

function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => lstatSync(path, { throwIfNoEntry: false, bigint: true }));
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}

function freeName(link: string, date: string): string {
  const { dir, name, ext } = parse(link);
  for (let n = 1; ; n += 1) {
    const path = join(dir, `${name}-before-${date}${n === 1 ? '' : `-${n}`}${ext}`);
    if (!existsSync(path)) return path;
  }
}
