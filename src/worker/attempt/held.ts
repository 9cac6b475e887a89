import type { Clock } from '../../shared/time/clock.js';

interface Waiting {
  readonly isBegun: boolean;
  /** Monotonic ms. */
  readonly dueAt: number;
  readonly end: (begins: boolean) => void;
}

interface Wait {
  /** It was asked for before: a stop lets it go on, where one that is not begun goes back. */
  readonly isBegun: boolean;
  /** The kill. */
  readonly signal: AbortSignal;
}

/** No slot was free for so long, or the process was frozen and what it holds may be another's by now. */
const OVERDUE_MS = 1_000;

/**
 * Messages that the main server is to be asked for in a moment: they may not be registered yet (domain/registration/).
 * They hold no slot, and need one to go on.
 *
 *   wait ──its time has come──▶ due ──admit, a slot is free──▶ resolves to true
 *     │                          └──1 s later──▶ false
 *     └──kill, or not begun and handBack──▶ false: back to the queue, untouched
 */
export class Held {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();
  readonly #due = new Set<Waiting>();
  /** One is due, or has given its slot up to wait. The work loop sets it, and admits. */
  onChange: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** All that wait, due or not. */
  get idle(): number {
    return this.#waiting.size;
  }

  get due(): number {
    return this.#due.size;
  }

  /** Resolves to true when it has a slot, to false when it is to be handed back. */
  wait(ms: number, { isBegun, signal }: Wait): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (begins: boolean): void => {
        timer.cancel();
        signal.removeEventListener('abort', giveUp);
        this.#waiting.delete(waiting);
        this.#due.delete(waiting);
        resolve(begins);
      };
      const waiting: Waiting = { isBegun, dueAt: this.#clock.now() + ms, end };
      const giveUp = () => end(false);
      const timer = this.#clock.after(ms, () => {
        this.#due.add(waiting);
        this.onChange?.();
      });
      signal.addEventListener('abort', giveUp);
      this.#waiting.add(waiting);
      if (isBegun) this.onChange?.();
    });
  }

  /** So many slots are free: those that are due take them, the first to be due first. */
  admit(slots: number): void {
    let free = slots;
    for (const waiting of this.#due) {
      if (this.#clock.now() - waiting.dueAt > OVERDUE_MS) waiting.end(false);
      else if (free > 0) {
        free -= 1;
        waiting.end(true);
      }
    }
  }

  /** What is not begun goes back to the queue, the newest first: so the oldest is claimed first. */
  handBack(): void {
    for (const waiting of [...this.#waiting].reverse()) if (!waiting.isBegun) waiting.end(false);
  }
}
