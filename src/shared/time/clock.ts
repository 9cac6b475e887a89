/**
 * The only place that reads a clock.
 *
 * Durations are measured on the monotonic clock, so a stepped wall clock cannot fire, delay or expire anything.
 * The wall clock serves display, `dead_at` and the age of `queued_at`.
 */
export interface Clock {
  /** Milliseconds since an arbitrary point, never going back. */
  now(): number;
  /** Milliseconds since the Unix epoch, as the host believes it. */
  wallNow(): number;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
};
