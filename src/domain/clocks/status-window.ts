/**
 * For how long the main server may be told of a failed attempt, and for how long what was told may still have its effect.
 * Pure. A late "queued" would overwrite "delivered", so nobody may POST a message within that.
 */
const LONGEST_MS = 10_000;
/** The rest of the retry interval stays free, so that a PUT is over before the message can be POSTed again. */
const SHARE_OF_INTERVAL = 0.8;
/** What the main server has read before it was cut, it may still be working on. */
const WORKED_ON_MS = 2_000;
const WORKED_ON_SHARE = 0.1;

/** From the failure on a status may be sent for so long. */
export function statusBudgetMs(retryIntervalMs: number): number {
  return Math.min(LONGEST_MS, SHARE_OF_INTERVAL * retryIntervalMs);
}

/** From the failure on the message is left alone for so long, whoever wants it tried sooner; less than the interval. */
export function statusWindowMs(retryIntervalMs: number): number {
  return Math.floor(statusBudgetMs(retryIntervalMs) + Math.min(WORKED_ON_MS, WORKED_ON_SHARE * retryIntervalMs));
}
