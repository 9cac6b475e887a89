/** What happens next to a message. Pure. A failed attempt is repeated after a fixed interval; no backoff: a requirement. */

/**
 * Asked when a message is claimed. `max_attempts` POSTs are made; the claim after the last of them gives up.
 *
 * @param attemptCount failed attempts so far.
 */
export function nextStep(attemptCount: number, maxAttempts: number): 'attempt' | 'give-up' {
  return attemptCount >= maxAttempts ? 'give-up' : 'attempt';
}

/**
 * Producers enqueue a message before they register it with the main server, which takes them a TLS handshake and two
 * commits. 100, 300, 700 and 1500 ms after the first answer cover that within the default grace of 2 s.
 */
const YOUNG_404_DELAYS_MS = [100, 200, 400, 800] as const;

interface Young404 {
  /** Repeats made so far inside this attempt; 0 = the first answer. */
  readonly repeat: number;
  /** Since `queued_at`, at the first answer; undefined when that is missing or unreadable. */
  readonly ageMs: number | undefined;
  /** Failed attempts so far. */
  readonly attemptCount: number;
  /** WORKER_NOT_FOUND_GRACE; 0 turns the repeats off. */
  readonly graceMs: number;
}

/**
 * How long to wait before a POST whose answer was "message unknown" is repeated inside the same attempt; undefined = the
 * attempt has failed.
 *
 * Only a message in its first attempt can be too young. A negative age (the producer's clock is ahead) is young. The age
 * is judged at the first answer only: later ones would let the waiting itself end the repeats.
 */
export function young404DelayMs({ repeat, ageMs, attemptCount, graceMs }: Young404): number | undefined {
  if (graceMs <= 0 || attemptCount > 0) return undefined;
  if (repeat === 0 && (ageMs === undefined || ageMs >= graceMs)) return undefined;
  return YOUNG_404_DELAYS_MS[repeat];
}
