import { IdSet } from './id-set.js';

/** What waits for its turn; true = it is now. */
type Turn = (its: boolean) => void;

/**
 * Of the messages with one id this process has one in hand at a time, and holds the others until it is settled and the
 * main server told: or the status of one copy could be on its way beside the POST of another, and overwrite "delivered".
 *
 *   take ──free──▶ in hand ──release, another waits──▶ in hand: the next of them
 *     └──in hand──▶ wait ────────▲         └──release──▶ free
 *
 * Other processes know nothing of it: between them the last word is the delivery once every copy is delivered.
 */
export class Copies {
  readonly #inHand = new IdSet();
  /** Of ids in hand, those that others wait for; a look into an empty map costs nothing. */
  readonly #waiting = new Map<string, Turn[]>();
  #held = 0;

  /**
   * Held copies that need no slot: all but the next of each id, which begins in the turn in which the one before it ends.
   */
  get idle(): number {
    return this.#held - this.#waiting.size;
  }

  /** False = another copy is in hand: `wait`. */
  take(id: string): boolean {
    return this.#inHand.add(id);
  }

  /** Another copy waits, and will tell the main server what is true then. */
  isAwaited(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** Resolves to true when it is in hand, to false when `signal` (the kill) or `giveUp` came first. */
  wait(id: string, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const turn: Turn = (its) => {
        signal.removeEventListener('abort', giveUp);
        resolve(its);
      };
      const giveUp = () => {
        this.#forget(id, turn);
        turn(false);
      };
      signal.addEventListener('abort', giveUp);
      this.#add(id, turn);
    });
  }

  /** What was in hand is over. */
  release(id: string): void {
    const next = this.#waiting.size > 0 ? this.#waiting.get(id)?.[0] : undefined;
    if (!next) return void this.#inHand.delete(id);
    this.#forget(id, next);
    next(true);
  }

  /** Deliveries are paused: whoever waits for a turn waits no longer, the last to come first, as they go back to the queue. */
  giveUp(): void {
    for (const [id, waiting] of [...this.#waiting]) {
      for (const turn of waiting.toReversed()) {
        this.#forget(id, turn);
        turn(false);
      }
    }
  }

  #add(id: string, turn: Turn): void {
    const waiting = this.#waiting.get(id);
    this.#held += 1;
    if (waiting) return void waiting.push(turn);
    this.#waiting.set(id, [turn]);
  }

  #forget(id: string, turn: Turn): void {
    const others = this.#waiting.get(id)?.filter((each) => each !== turn) ?? [];
    this.#held -= 1;
    if (others.length > 0) return void this.#waiting.set(id, others);
    this.#waiting.delete(id);
  }
}
