/**
 * Whatever runs by itself: built without side effects, started and stopped by the one who built it.
 *
 * A second `start` does nothing, and neither does one after `stop`: a part lives once. `stop` may be called at any time,
 * also before or during `start`, and again; it resolves when nothing of the part runs any more. test/support/life.ts holds
 * every part to this.
 */
export interface Life {
  /** Rejects only with what the part's own description names. */
  start(): void | Promise<void>;
  stop(): Promise<void>;
}
