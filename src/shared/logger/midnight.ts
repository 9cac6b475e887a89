import type { Life } from '../life.js';
import type { Clock, Timer } from '../time/clock.js';
import { localDate } from './line-format.js';

/** The host's clock may be set, or the host may sleep: never wait longer than this without looking. */
const LONGEST_WAIT_MS = 60_000;

/** Calls `onNewDay` when the local date changes. Its timer does not keep the process alive. */
export class MidnightWatch implements Life {
  readonly #clock: Clock;
  readonly #onNewDay: () => void;
  #today = '';
  #timer: Timer | undefined;
  #stopped = false;

  constructor(clock: Clock, onNewDay: () => void) {
    this.#clock = clock;
    this.#onNewDay = onNewDay;
  }

  start(): void {
    if (this.#timer || this.#stopped) return;
    this.#today = localDate(this.#clock.wallNow());
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    const now = new Date(this.#clock.wallNow());
    const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).getTime();
    const waitMs = Math.min(midnight - now.getTime() + 1, LONGEST_WAIT_MS);
    this.#timer = this.#clock.after(waitMs, () => this.#look()).unref();
  }

  #look(): void {
    this.#schedule();
    const date = localDate(this.#clock.wallNow());
    if (date === this.#today) return;
    this.#today = date;
    this.#onNewDay();
  }
}
