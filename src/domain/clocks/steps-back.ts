/** What a retry that began to wait before a step back of Redis's clock is put off by, in that clock's ms. */
export interface SetBack {
  /** For retries whose interval began before this time, ms since the Unix epoch. */
  readonly before: number;
  /** They are due so much earlier than their score says. */
  readonly byMs: number;
}

interface StepBack {
  /** What the clock said after it, at least. */
  readonly to: number;
  readonly byMs: number;
  /** Monotonic ms: by then all retries from before it are due. */
  readonly until: number;
}

/**
 * The steps back of Redis's clock within one retry interval, each shorter than the interval. After a longer one each retry
 * from before it shows that it is.
 *
 * A retry from before the latest step began before the time that this led to (those that began later are set right at the
 * step, as if they had been scheduled then). So the times that the steps led to tell which of them it has seen.
 */
export class StepsBack {
  #steps: readonly StepBack[] = [];

  add(step: StepBack): void {
    this.#steps = [...this.#steps, step];
  }

  clear(): void {
    this.#steps = [];
  }

  /** The oldest first. The first whose `before` a retry began before is the one for it: it has seen that step and all later ones. */
  at(now: number): readonly SetBack[] {
    this.#steps = this.#steps.filter(({ until }) => now < until);
    let [before, byMs] = [Infinity, 0];
    const newestFirst = this.#steps.toReversed().map((step) => {
      before = Math.min(before, step.to);
      byMs += step.byMs;
      return { before, byMs };
    });
    return newestFirst.reverse();
  }
}
