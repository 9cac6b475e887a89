/**
 * Failures that an operator can cause or must read about.
 *
 * Decisions are taken on the class or the `code`, never on the text. `message` is one plain sentence that names the
 * setting, file or host and what would be right; it holds no secret.
 */
export class BrokerError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The configuration cannot be used. `problems` holds every one found, each a sentence. */
export class ConfigError extends BrokerError {
  constructor(
    readonly problems: readonly string[],
    options?: { cause?: unknown },
  ) {
    super('E_CONFIG', problems.join('\n'), options);
  }
}

/** A certificate, key or CA file is missing, unreadable, expired or does not fit its partner. */
export class CredentialsError extends BrokerError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('E_CREDENTIALS', message, options);
  }
}

/** Redis cannot be used as it is (too old, wrong type of key); waiting will not help. */
export class UnusableRedisError extends BrokerError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('E_REDIS_UNUSABLE', message, options);
  }
}

/** REDIS_SIDE_BOOKS_MAX is 0: nothing is kept beside the messages, as was asked for. */
export class SideBooksOffError extends UnusableRedisError {
  constructor() {
    super('REDIS_SIDE_BOOKS_MAX is 0');
  }
}

/** Redis did not answer. `outcomeUnknown` says that the command may have been carried out all the same. */
export class RedisUnavailableError extends BrokerError {
  constructor(
    message: string,
    readonly outcomeUnknown: boolean,
    options?: { cause?: unknown },
  ) {
    super('E_REDIS_UNAVAILABLE', message, options);
  }
}

/** Redis has answered that it will not, and nothing has happened; while it is away this says nothing. */
export function isRedisRefusal(error: unknown): error is UnusableRedisError | RedisUnavailableError {
  return error instanceof UnusableRedisError || (error instanceof RedisUnavailableError && !error.outcomeUnknown);
}

export const EXIT_FAILURE = 1;
/** sysexits.h EX_CONFIG: a service manager must not restart what a restart cannot mend. */
export const EXIT_CONFIG = 78;

const PERMANENT_CODES: ReadonlySet<string> = new Set(['E_CONFIG', 'E_CREDENTIALS', 'E_REDIS_UNUSABLE']);

/** Whether a restart cannot mend it. */
export function isPermanent(code: string): boolean {
  return PERMANENT_CODES.has(code);
}

/** Of a process that could not start. */
export function exitCodeOf(code: string): number {
  return isPermanent(code) ? EXIT_CONFIG : EXIT_FAILURE;
}

/** The text of anything thrown, for a log line. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
