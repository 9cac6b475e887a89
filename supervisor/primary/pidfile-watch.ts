import { reasonOf } from '../../src/shared/errors.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock, Timer } from '../../src/shared/time/clock.js';
import type { Pidfile } from './pidfile.js';

interface PidfileWatchOptions {
  readonly pidfile: Pick<Pidfile, 'path' | 'restore'>;
  readonly log: Log;
  readonly clock: Clock;
}

const LOOK_EVERY_MS = 1_000;

/** Makes the pidfile again when it vanishes, and says so; what keeps it from that is said once. */
export class PidfileWatch implements Life {
  readonly #options: PidfileWatchOptions;
  #timer: Timer | undefined;
  #trouble = '';
  #stopped = false;

  constructor(options: PidfileWatchOptions) {
    this.#options = options;
  }

  start(): void {
    if (!this.#stopped) this.#timer ??= this.#options.clock.every(LOOK_EVERY_MS, () => this.#look());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #look(): void {
    const { pidfile, log } = this.#options;
    try {
      if (!pidfile.restore()) return;
      log.warn(`The pidfile ${pidfile.path} was gone or another; it is made again.`);
      this.#trouble = '';
    } catch (error) {
      const trouble = reasonOf(error);
      if (trouble !== this.#trouble) log.error(trouble);
      this.#trouble = trouble;
    }
  }
}
