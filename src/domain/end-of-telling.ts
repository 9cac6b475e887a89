import type { DeliveryOutcome } from './delivery-outcome.js';

/** Request timeout, too many requests: of 4xx those that may be taken later. */
const ASK_AGAIN: ReadonlySet<number> = new Set([408, 429]);

/**
 * Whether a status has been told: it was taken, or the main server understood and does not want it (it has no such
 * message, or not this status for it), so that asking again changes nothing.
 */
export function hasBeenTold(outcome: DeliveryOutcome): boolean {
  if (outcome.kind !== 'failed') return outcome.kind === 'delivered';
  const { status } = outcome;
  return status !== undefined && status >= 400 && status < 500 && !ASK_AGAIN.has(status);
}
