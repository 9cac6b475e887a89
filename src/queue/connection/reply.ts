/**
 * What an error reply says. Redis before 7 wraps what stops a script, so that its code is no longer the first word:
 *
 *   READONLY You can't write against a read only replica.                                        outside of scripts, and since 7
 *   ERR Error running script (call to f_1f0a…): @user_script:12: @user_script: 12: -READONLY You can't …    refused before it ran
 *   ERR Error running script (call to f_1f0a…): @user_script:12: WRONGTYPE Operation against …              refused by the command
 *   @user_script: 12: -OOM command not allowed …                                                 returned by redis.pcall
 */
import { ReplyError as ReplyErrorClass } from 'ioredis';
import { RedisUnavailableError } from '../../shared/errors.js';

const WRAPPINGS = /^(?:ERR Error running script \([^)]*\): ?)?(?:@[\w.-]+: ?\d+: ?)*-?/;
/** What Redis says in place of a code when a user may not do what a script does; 7.0 puts ERR before it. */
const NOT_PERMITTED = /^(?:ERR )?(?:The user executing the script can't|ACL failure in script)/;
const CODE = /^[A-Z][A-Z0-9]*$/;

/** Redis's own code for an error, such as READONLY; undefined where the text has none. */
export function codeIn(reply: string): string | undefined {
  const inner = reply.replace(WRAPPINGS, '');
  if (NOT_PERMITTED.test(inner)) return 'NOPERM';
  const word = inner.split(' ', 1)[0] ?? '';
  if (CODE.test(word)) return word;
  return reply.startsWith('ERR ') ? 'ERR' : undefined;
}

/** The code of an error reply; undefined for anything else that went wrong. */
export function replyCode(error: unknown): string | undefined {
  const reply = error instanceof RedisUnavailableError ? error.cause : error;
  return isReply(reply) ? (codeIn(reply.message) ?? '') : undefined;
}

/** An error that Redis answered, not one of the way to it. */
interface ReplyError extends Error {
  readonly command?: { readonly name: string };
}

export function isReply(error: unknown): error is ReplyError {
  return error instanceof (ReplyErrorClass as new () => Error);
}
