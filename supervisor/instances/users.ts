/** Whom the system's own list of users names; on other systems than Linux, and of a directory service, nobody. */
import { readFileSync } from 'node:fs';

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export function users(): readonly User[] {
  try {
    return readFileSync('/etc/passwd', 'utf8').split('\n').flatMap(userOf);
  } catch {
    return [];
  }
}

function userOf(line: string): User[] {
  const [name, , uid, gid, , home] = line.split(':');
  if (!name || !home || !/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '')) return [];
  return [{ name, uid: Number(uid), gid: Number(gid), home }];
}

/** As an operator knows it: `bob (uid 1001)`. */
export function userText(uid: number): string {
  const name = userName(uid);
  return name === undefined ? `uid ${uid}` : `${name} (uid ${uid})`;
}

export function userName(uid: number): string | undefined {
  return users().find((user) => user.uid === uid)?.name;
}

export function groupOf(uid: number): number | undefined {
  return users().find((user) => user.uid === uid)?.gid;
}
