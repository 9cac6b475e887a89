/** What happens in simulated time, the earliest first; a binary heap. */
export class Events {
  now = 0;
  readonly #at: number[] = [];
  readonly #actions: (() => void)[] = [];

  /** No time passes before its turn; of the same moment any may be first. */
  at(time: number, action: () => void): void {
    let index = this.#at.length;
    this.#at.push(time);
    this.#actions.push(action);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#time(parent) <= this.#time(index)) break;
      this.#swap(parent, index);
      index = parent;
    }
  }

  after(ms: number, action: () => void): void {
    this.at(this.now + ms, action);
  }

  /** Until there is nothing left, or `isOver`, or the time. */
  run(untilMs: number, isOver: () => boolean): void {
    while (this.#at.length > 0 && !isOver()) {
      if (this.#time(0) > untilMs) {
        this.now = untilMs;
        return;
      }
      this.now = this.#time(0);
      this.#take()();
    }
  }

  #take(): () => void {
    const last = this.#at.length - 1;
    this.#swap(0, last);
    this.#at.pop();
    const action = this.#actions.pop() ?? (() => undefined);
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const least = left + 1 < last && this.#time(left + 1) < this.#time(left) ? left + 1 : left;
      if (left >= last || this.#time(index) <= this.#time(least)) return action;
      this.#swap(index, least);
      index = least;
    }
  }

  #time(index: number): number {
    return this.#at[index] ?? Infinity;
  }

  #swap(a: number, b: number): void {
    [this.#at[a], this.#at[b]] = [this.#time(b), this.#time(a)];
    const kept = this.#actions[a];
    this.#actions[a] = this.#actions[b] ?? (() => undefined);
    this.#actions[b] = kept ?? (() => undefined);
  }
}

/** mulberry32: the same numbers in every run. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
