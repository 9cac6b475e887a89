/** Runs one task at a time, in the order of asking. */
export class OneByOne {
  #last: Promise<unknown> = Promise.resolve();

  /** Rejects as the task does. */
  do<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
