import { BusyWait } from '../../domain/busy-wait.js';
import type { Clock } from '../../shared/time/clock.js';

/** Keeps the event loop looking for answers, without sleeping, while they come in quick succession. Ends by itself. */
export class AnswerPoll {
  readonly #clock: Clock;
  readonly #wait = new BusyWait();
  #polling = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A request was sent. */
  sent(): void {
    if (this.#polling || !this.#wait.begin(this.#clock.now())) return;
    this.#polling = true;
    setImmediate(this.#look);
  }

  /** An answer came. */
  answered(): void {
    if (this.#polling) this.#wait.event(this.#clock.now());
  }

  readonly #look = (): void => {
    this.#polling = this.#wait.goesOn(this.#clock.now());
    if (this.#polling) setImmediate(this.#look);
  };
}
