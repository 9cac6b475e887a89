import type { OperatorQueue } from '../../src/queue/operator-queue.js';
import { RedisUnavailableError } from '../../src/shared/errors.js';
import { fail, ok, warn, type Finding } from './finding.js';

const CHECK = 'redis user';

/** What the user of Redis may not do, and what that means. Rejects with RedisUnavailableError when Redis goes away. */
export async function permissionFindings(queue: OperatorQueue, username: string): Promise<Finding[]> {
  const user = username || 'default';
  try {
    const missing = await queue.missingPermissions();
    if (missing.length === 0) return [ok(CHECK, `${user} may do all that is needed`)];
    return missing.map(({ commands, means, isVital }) => {
      const text = `${user} may not call ${commands.join(', ')}: ${means}`;
      const cure = `ACL SETUSER ${user} ${commands.map((name) => `+${name.toLowerCase()}`).join(' ')} (all of them: ecosystem.md)`;
      return isVital ? fail(CHECK, text, cure) : warn(CHECK, text, cure);
    });
  } catch (error) {
    if (!(error instanceof RedisUnavailableError) || !queue.isReady()) throw error;
    return [
      fail(
        CHECK,
        `${user} may not do what deliveries need: ${error.message}`,
        'Give it the commands and keys of the line "ACL SETUSER" in ecosystem.md.',
      ),
    ];
  }
}
