import type { Clock } from '../../shared/time/clock.js';
import type { Log } from '../../shared/logger/log.js';

/** After a refused command: often enough to be back within 2 s, seldom enough to cost nothing. */
const PAUSE_MS = 500;
const SAY_EVERY_MS = 10_000;

/** What a Redis that answers refuses to do (it is full, or read-only): said every 10 s, whatever was refused. */
export class Refusals {
  readonly #clock: Clock;
  readonly #log: Log;
  #pausedUntil = -Infinity;
  #saidAt = -Infinity;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Nothing is to be asked of Redis now. */
  get isPause(): boolean {
    return this.#clock.now() < this.#pausedUntil;
  }

  pause(): void {
    this.#pausedUntil = this.#clock.now() + PAUSE_MS;
  }

  say(text: string): void {
    const now = this.#clock.now();
    if (now - this.#saidAt < SAY_EVERY_MS) return;
    this.#saidAt = now;
    this.#log.error(text);
  }
}
