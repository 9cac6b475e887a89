/**
 * Where a supervisor leaves its file, and where it is looked for: the folder of the systemd unit, the runtime folder of the
 * login, the user's state folder. A cron job and `sudo` know no XDG_RUNTIME_DIR, so its usual place is looked into as well.
 */
import { lstatSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { defaultRuntimeDirectory } from '../../src/shared/config/runtime-directory.js';
import { users } from './users.js';

const NAME = 'message-broker-worker';
/** RuntimeDirectory of the unit. */
export const UNIT_FOLDER = `/run/${NAME}`;
const LOGINS = '/run/user';
const ROOT = 0;

export interface Place {
  readonly folder: string;
  /** Who must own it; undefined = whoever does, which is for root in root's own folders; never undefined for others. */
  readonly owner: number | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The best first; the first that can be used is taken. */
export function placesToLeave(env: Environment, uid = process.getuid?.()): readonly string[] {
  const login = env['XDG_RUNTIME_DIR'];
  const isUnits = uid !== undefined && ownerAt(UNIT_FOLDER) === uid;
  return [
    ...(isUnits ? [UNIT_FOLDER] : []),
    ...(login ? [join(login, NAME)] : []),
    stateFolder(env),
    defaultRuntimeDirectory(env),
  ];
}

/** @param uid who looks; undefined = this system knows none. */
export function placesToLook(env: Environment, uid = process.getuid?.()): readonly Place[] {
  const isRoot = uid === ROOT;
  const login = env['XDG_RUNTIME_DIR'];
  const own = [
    ...(login ? [join(login, NAME)] : []),
    join(LOGINS, String(uid), NAME),
    stateFolder(env),
    defaultRuntimeDirectory(env),
  ];
  const owners = new Map<string, number | undefined>([[UNIT_FOLDER, isRoot ? undefined : uid]]);
  for (const folder of own) owners.set(folder, uid);
  if (isRoot) for (const { folder, owner } of placesOfUsers()) owners.set(folder, owner);
  return [...owners].map(([folder, owner]) => ({ folder, owner }));
}

function stateFolder(env: Environment): string {
  return join(env['XDG_STATE_HOME'] || join(homeOf(env), '.local', 'state'), NAME);
}

function homeOf(env: Environment): string {
  return env['HOME'] || homedir();
}

/** Root sees those of everybody whom the system's list of users names. */
function placesOfUsers(): readonly Place[] {
  const ids = listed(LOGINS).filter((name) => /^[1-9]\d*$/.test(name));
  return [
    ...ids.map((id) => ({ folder: join(LOGINS, id, NAME), owner: Number(id) })),
    ...users()
      .filter(({ uid, home }) => uid !== ROOT && home.length > 1)
      .map(({ uid, home }) => ({ folder: join(home, '.local', 'state', NAME), owner: uid })),
  ];
}

/** Undefined when nothing is there, or we may not look. */
export function ownerAt(path: string): number | undefined {
  try {
    return lstatSync(path).uid;
  } catch {
    return undefined;
  }
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
