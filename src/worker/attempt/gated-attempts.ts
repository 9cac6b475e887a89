import type { Claim } from '../../queue/message-queue.js';
import type { PauseWatch } from '../loop/pause-watch.js';
import type { AttemptResult, Attempts } from './attempt.js';
import type { NotBegun } from './not-begun.js';

/** Attempts that begin only while deliveries are not paused: what may not begin goes back to the queue, untouched. */
export class GatedAttempts implements Pick<Attempts, 'run'> {
  readonly #attempts: Pick<Attempts, 'run'>;
  readonly #pause: Pick<PauseWatch, 'isOpen' | 'mayBegin'>;
  readonly #notBegun: Pick<NotBegun, 'while'>;

  constructor(
    attempts: Pick<Attempts, 'run'>,
    pause: Pick<PauseWatch, 'isOpen' | 'mayBegin'>,
    notBegun: Pick<NotBegun, 'while'>,
  ) {
    this.#attempts = attempts;
    this.#pause = pause;
    this.#notBegun = notBegun;
  }

  /** Never rejects. `signal` is the kill. */
  run(claim: Claim, signal: AbortSignal, wasAwaited: boolean): Promise<AttemptResult> {
    const { isOpen } = this.#pause;
    return isOpen ? this.#attempts.run(claim, signal, wasAwaited) : this.#afterLook(claim, signal, wasAwaited);
  }

  async #afterLook(claim: Claim, signal: AbortSignal, wasAwaited: boolean): Promise<AttemptResult> {
    if (await this.#notBegun.while(claim, this.#pause.mayBegin())) return this.#attempts.run(claim, signal, wasAwaited);
    return { settlement: { kind: 'hand-back', claim } };
  }
}
