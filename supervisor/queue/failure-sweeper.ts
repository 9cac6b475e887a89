import { createFailureSweep } from '../../src/duties/failure-sweep.js';
import type { Config } from '../../src/shared/config/config.js';
import type { DutyTrouble } from '../../src/shared/ipc.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Borrowed, QueueAccess, QueueSettings } from './queue-access.js';

type SweepSettings = QueueSettings & { readonly worker: Pick<Config['worker'], 'retryIntervalMs'> };

interface FailureSweeperOptions {
  readonly access: Pick<QueueAccess, 'borrow'>;
  readonly settings: SweepSettings;
  readonly log: Log;
  readonly clock: Clock;
}

interface Sweep {
  readonly connection: Borrowed;
  readonly duty: ReturnType<typeof createFailureSweep>;
}

/** The supervisor's part in the hourly sweep of failed attempts (src/duties/failure-sweep.ts). */
export class FailureSweeper implements Life {
  readonly #options: FailureSweeperOptions;
  #sweep: Sweep | undefined;
  #stopped = false;

  constructor(options: FailureSweeperOptions) {
    this.#options = options;
  }

  /** @throws ConfigError when REDIS_TLS_CA_PATH cannot be read. */
  start(): void {
    if (!this.#stopped) this.#sweep ??= this.#begin(this.#options.settings);
  }

  /** When it fails for 10 s. */
  get trouble(): DutyTrouble | undefined {
    return this.#sweep?.duty.trouble;
  }

  /** Rejects with ConfigError when REDIS_TLS_CA_PATH cannot be read. */
  async adopt(settings: SweepSettings): Promise<void> {
    const former = this.#sweep;
    if (this.#stopped) return;
    this.#sweep = this.#begin(settings);
    await end(former);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await end(this.#sweep);
  }

  #begin(settings: SweepSettings): Sweep {
    const { access, clock, log } = this.#options;
    const connection = access.borrow(settings);
    const queue = { ...connection.queue, isReady: () => connection.isReady() };
    const duty = createFailureSweep({ queue, retryIntervalMs: settings.worker.retryIntervalMs, clock, log });
    void duty.start();
    return { connection, duty };
  }
}

async function end(sweep: Sweep | undefined): Promise<void> {
  await sweep?.duty.stop();
  await sweep?.connection.release();
}
