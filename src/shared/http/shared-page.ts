import type { Clock } from '../time/clock.js';

interface SharedPageOptions<Page> {
  readonly make: () => Page | Promise<Page>;
  /** From one making to the next, at least. */
  readonly everyMs: number;
  readonly clock: Clock;
}

/** So often at most is a page made, however many ask for it. */
export const PAGE_EVERY_MS = 250;

/**
 * A page that costs something to make. All who ask before its making begins get the same one, so it is never older than
 * the question.
 */
export class SharedPage<Page> {
  readonly #options: SharedPageOptions<Page>;
  #next: Promise<Page> | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #madeAt = -Infinity;

  constructor(options: SharedPageOptions<Page>) {
    this.#options = options;
  }

  /** Rejects as the making does. */
  read(): Promise<Page> {
    return (this.#next ??= this.#makeNext());
  }

  async #makeNext(): Promise<Page> {
    const { make, everyMs, clock } = this.#options;
    await this.#running;
    const waitMs = (): number => Math.ceil(this.#madeAt + everyMs - clock.now());
    // a timer may come a little early
    while (waitMs() > 0) await clock.sleep(waitMs());
    this.#next = undefined;
    this.#madeAt = clock.now();
    const making = (async () => make())();
    this.#running = making.catch(() => undefined);
    return making;
  }
}
