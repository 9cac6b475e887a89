/** Which supervisors run here that whoever asks may use, and whose the others are. */
import { readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';

import { parseInstance, stateOf, type Instance } from './instance.js';
import { ownerAt, placesToLook, UNIT_FOLDER, type Place } from './places.js';
import { trustedFiles } from './trusted-files.js';

export interface FoundInstance extends Instance {
  /** Whose it is; undefined where the system knows no users. */
  readonly owner: number | undefined;
  /** Of whoever looks, or of the machine's service: nobody else has chosen it. */
  readonly isNear: boolean;
}

export interface Sight {
  /** Running, and of this user; for root those of all. */
  readonly instances: readonly FoundInstance[];
  /** What was found and is not believed, a sentence each. */
  readonly refusals: readonly string[];
  /** Users whose supervisors run here and are closed to us; `port` undefined = only the unit's folder is seen. */
  readonly strangers: readonly Stranger[];
}

export interface Stranger {
  readonly uid: number;
  readonly port: number | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Removes on its way the files that dead supervisors of this user have left. Never throws. */
export function findInstances(env: Environment): Sight {
  const uid = process.getuid?.();
  const instances: FoundInstance[] = [];
  const refusals: string[] = [];
  for (const place of placesToLook(env)) {
    if (isClosedUnit(place)) continue;
    const looked = trustedFiles(place);
    refusals.push(...looked.refusals);
    for (const { path, text, owner } of looked.files) {
      const instance = parseInstance(text);
      const state = instance && stateOf(instance, hostname());
      const isNear = owner === uid || place.folder === UNIT_FOLDER;
      if (instance && state === 'running') instances.push({ ...instance, owner, isNear });
      else if (state === 'dead' && owner === uid) rmSync(path, { force: true });
    }
  }
  return { instances, refusals, strangers: uid === undefined ? [] : strangersTo(uid, instances) };
}

/** It is another user's, who is a stranger then, and no refusal. */
function isClosedUnit({ folder, owner }: Place): boolean {
  if (folder !== UNIT_FOLDER || owner === undefined) return false;
  const uid = ownerAt(folder);
  return uid !== undefined && uid !== owner;
}

/**
 * Each supervisor holds a name of the kernel's (instance-lock.ts), which tells user and port to everybody. Some versions of
 * Node fill it up with zeros, which are shown as @.
 */
const LOCK = /@message-broker-worker\/(\d+)\/[0-9a-f]+\/(\d+)@*$/;

function strangersTo(uid: number, instances: readonly FoundInstance[]): readonly Stranger[] {
  const locked = lockNames().flatMap((line): Stranger[] => {
    const [, owner, port] = LOCK.exec(line) ?? [];
    return owner === undefined ? [] : [{ uid: Number(owner), port: Number(port) }];
  });
  const unit = uid === 0 ? undefined : ownerAt(UNIT_FOLDER);
  const all = [...locked, ...(unit === undefined ? [] : [{ uid: unit, port: undefined }])];
  const isKnown = (stranger: Stranger): boolean =>
    stranger.uid === uid ||
    instances.some(({ owner, port }) => owner === stranger.uid && port === (stranger.port ?? port));
  const isTold = (stranger: Stranger, at: number): boolean => all.findIndex((other) => other.uid === stranger.uid) < at;
  return all.filter((stranger, at) => !isKnown(stranger) && !(stranger.port === undefined && isTold(stranger, at)));
}

function lockNames(): readonly string[] {
  try {
    return readFileSync('/proc/net/unix', 'utf8').split('\n');
  } catch {
    return [];
  }
}
