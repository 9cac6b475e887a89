/**
 * A controller that aborts with any of `signals`, until `release()`.
 *
 * AbortSignal.any would do the same, but on Node 20 each call leaves an entry in its sources for as long as they live,
 * and ours live as long as the process.
 */
export class LinkedAbort {
  readonly #sources: readonly AbortSignal[];
  readonly #controller = new AbortController();

  readonly abort = (): void => {
    this.#controller.abort();
  };

  constructor(sources: readonly AbortSignal[]) {
    this.#sources = sources;
    for (const source of sources) {
      if (source.aborted) this.abort();
      else source.addEventListener('abort', this.abort);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  release(): void {
    for (const source of this.#sources) source.removeEventListener('abort', this.abort);
  }
}
