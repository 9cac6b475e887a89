/**
 * Root reads another user's configuration with that user's rights: it names files of secrets, and one that only root may read
 * must not go to a server which that user has chosen.
 */
import { EXIT_FAILURE, reasonOf } from '../../../../src/shared/errors.js';
import { groupOf, userText } from '../../../instances/users.js';
import { CommandError } from '../command.js';

/** Its types do not have it. */
type WithGroups = NodeJS.Process & { initgroups(user: number, extraGroup: number): void };

/** Of nobody. */
const NO_GROUP = 65_534;

/** `read` is synchronous: nothing else runs meanwhile. @throws CommandError when we may not become that user. */
export function asOwner<T>(owner: number | undefined, read: () => T): T {
  const { geteuid, seteuid, getegid, setegid, getgroups, setgroups } = process;
  const uid = geteuid?.();
  if (owner === undefined || uid === undefined || uid === owner) return read();
  if (!seteuid || !getegid || !setegid || !getgroups || !setgroups) return read();
  const before = { gid: getegid(), groups: getgroups() };
  try {
    join(owner, groupOf(owner) ?? NO_GROUP);
    seteuid(owner);
    return read();
  } finally {
    seteuid(uid);
    setegid(before.gid);
    setgroups(before.groups);
  }
}

/** The groups of that user, and no other. */
function join(owner: number, gid: number): void {
  try {
    process.setgroups?.([]);
    process.setegid?.(gid);
    if (gid !== NO_GROUP) (process as WithGroups).initgroups(owner, gid);
  } catch (error) {
    throw new CommandError(EXIT_FAILURE, `This must be run as ${userText(owner)}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}
