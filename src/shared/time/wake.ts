import type { Clock, Timer } from './clock.js';

/** Lets one loop sleep until it is woken or a time has passed; a call of `wake` while nobody sleeps is not lost. */
export class Wake {
  readonly #clock: Pick<Clock, 'after'>;
  #pending = false;
  #resume: (() => void) | undefined;

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  wake(): void {
    this.#pending = true;
    this.#resume?.();
  }

  /** Resolves at once when `wake` was called since the last sleep. */
  async sleep(ms: number): Promise<void> {
    if (!this.#pending) {
      let timer: Timer | undefined;
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
        timer = this.#clock.after(ms, resolve);
      });
      timer?.cancel();
      this.#resume = undefined;
    }
    this.#pending = false;
  }
}
