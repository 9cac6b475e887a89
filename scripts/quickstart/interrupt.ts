/** The wish to stop: Ctrl-C, SIGTERM, or the terminal that was closed. */

/** What `signal` is aborted with. */
export class InterruptedError extends Error {}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** npm passes on the SIGINT that the terminal has sent us as well: two this close together are one wish. */
const SAME_CTRL_C_MS = 500;

export class Interrupt {
  readonly #controller = new AbortController();
  readonly #received = () => this.#note();
  #last = -Infinity;
  #hurry: (() => void) | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  listen(): void {
    for (const signal of SIGNALS) process.on(signal, this.#received);
  }

  /** `hurry` is called at every further wish: the user is in a hurry. */
  onRepeat(hurry: () => void): void {
    this.#hurry = hurry;
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#received);
  }

  #note(): void {
    const now = performance.now();
    const isEcho = now - this.#last < SAME_CTRL_C_MS;
    this.#last = now;
    if (!this.signal.aborted) this.#controller.abort(new InterruptedError('Interrupted'));
    else if (!isEcho) this.#hurry?.();
  }
}
