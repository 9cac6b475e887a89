import { readPause, type Pause } from '../../src/domain/pause/pause.js';
import type { PauseQueue } from '../../src/queue/background-queue.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import { asSentence } from '../../src/shared/words/causes.js';
import { pausedBy } from '../../src/shared/words/paused.js';

interface PauseSightOptions {
  readonly log: Log;
  readonly clock: Clock;
}

/** Sees the pause of all deliveries for the status, and says it once for all workers: they keep it by themselves. */
export class PauseSight {
  readonly #log: Log;
  readonly #clock: Clock;
  #known: { readonly text: string; readonly since: number } | undefined;
  #refusal: string | undefined;

  constructor({ log, clock }: PauseSightOptions) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Undefined = there is none, or Redis does not let us look. Rejects with RedisUnavailableError. */
  async look(queue: Pick<PauseQueue, 'lookAtPause'>): Promise<Pause | undefined> {
    const { text, leftMs, refusal } = await queue.lookAtPause();
    this.#noteRefusal(refusal);
    if (text === undefined) return this.#noteEnd();
    const pause = readPause(text);
    const endsAtMs = leftMs === undefined ? undefined : this.#clock.wallNow() + leftMs;
    const seen = { ...pause, untilMs: pause.untilMs ?? endsAtMs };
    if (this.#known?.text !== text) {
      this.#log.warn(`${asSentence(pausedBy(seen))}; what is in flight goes on`);
      this.#known = { text, since: this.#clock.now() };
    }
    return seen;
  }

  #noteEnd(): undefined {
    if (!this.#known) return;
    const seconds = Math.round((this.#clock.now() - this.#known.since) / 1_000);
    this.#known = undefined;
    this.#log.info(`Deliveries go on: the pause is over after ${seconds} s`);
  }

  #noteRefusal(refusal: string | undefined): void {
    if (refusal === this.#refusal) return;
    this.#refusal = refusal;
    if (refusal === undefined) return;
    this.#log.warn(`It cannot be seen whether deliveries are paused, so they go on: ${refusal}`);
  }
}
