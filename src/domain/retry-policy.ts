/** What happens next to a message. Pure. A failed attempt is repeated after a fixed interval; no backoff: a requirement. */

/**
 * Asked when a message is claimed. `max_attempts` POSTs are made; the claim after the last of them gives up.
 *
 * @param attemptCount failed attempts so far.
 */
export function nextStep(attemptCount: number, maxAttempts: number): 'attempt' | 'give-up' {
  return attemptCount >= maxAttempts ? 'give-up' : 'attempt';
}

interface Failure {
  /** Failed attempts before this one. */
  readonly attemptCount: number;
  readonly maxAttempts: number;
  /** No answer came, and the server may be working on the request still. */
  readonly fateUnknown: boolean;
  readonly intervalMs: number;
  /** MAIN_SERVER_TIMEOUT. */
  readonly timeoutMs: number;
}

/** How long a server may work on a request that we gave up, in time-outs. */
const WORKED_ON_FOR = 2;

/**
 * What a message is retried with after a failed attempt, and when.
 *
 * A message is declared failed only after an attempt with a definite answer, and not before a post of unknown fate is
 * `WORKED_ON_FOR` time-outs old: it may be delivered by then, and "failed" would overwrite that. Both facts must hold for
 * whoever claims it next, another worker or this one restarted, so they travel in what the message has anyway:
 *
 * - The count. An attempt of unknown fate never raises it to `maxAttempts`: the message is tried once more, for as long
 *   as no answer comes.
 * - The time it is due. After an attempt of unknown fate it waits as many whole intervals as the remaining attempts and
 *   the wait before giving up leave of that time. With an interval of a time-out or more, as by default, that is one.
 */
export function afterFailure({ attemptCount, maxAttempts, fateUnknown, intervalMs, timeoutMs }: Failure): {
  readonly attemptCount: number;
  readonly delayMs: number;
} {
  if (!fateUnknown) return { attemptCount: attemptCount + 1, delayMs: intervalMs };
  const counted = Math.min(attemptCount + 1, maxAttempts - 1);
  const intervalsToCome = maxAttempts - counted;
  const needed = Math.ceil((WORKED_ON_FOR * timeoutMs) / intervalMs) - intervalsToCome;
  return { attemptCount: counted, delayMs: intervalMs * Math.max(1, needed) };
}
