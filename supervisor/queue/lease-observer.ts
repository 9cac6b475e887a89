import { createRecoverer } from '../../src/duties/recoverer.js';
import type { DutyTrouble } from '../../src/shared/ipc.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Burials } from './burials.js';
import type { Borrowed, QueueAccess, QueueSettings } from './queue-access.js';

interface LeaseObserverOptions {
  readonly access: Pick<QueueAccess, 'borrow'>;
  readonly settings: QueueSettings;
  readonly burials: Pick<Burials, 'add'>;
  readonly log: Log;
  readonly clock: Clock;
}

interface Observation {
  readonly of: string;
  readonly connection: Borrowed;
  readonly duty: ReturnType<typeof createRecoverer>;
}

/**
 * This host's observer of the leases on the queue: what a host that died held comes back within 15 s. Our own children are
 * observed like all others; what they held when they die is back long before (claim-recovery.ts).
 */
export class LeaseObserver implements Life {
  readonly #options: LeaseObserverOptions;
  #observation: Observation | undefined;
  #stopped = false;

  constructor(options: LeaseObserverOptions) {
    this.#options = options;
  }

  /** @throws ConfigError when REDIS_TLS_CA_PATH cannot be read. */
  start(): void {
    if (!this.#stopped) this.#observation ??= this.#observe(this.#options.settings);
  }

  /** When the leases cannot be observed, or something cannot be recovered, for 10 s. */
  get trouble(): DutyTrouble | undefined {
    return this.#observation?.duty.trouble;
  }

  /** Observes the queue of these settings from now on. Rejects with ConfigError when REDIS_TLS_CA_PATH cannot be read. */
  async adopt({ redis, queue }: QueueSettings): Promise<void> {
    const former = this.#observation;
    // the same queue: what was seen of it counts
    if (this.#stopped || former?.of === nameOf({ redis, queue })) return;
    this.#observation = this.#observe({ redis, queue });
    await end(former);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await end(this.#observation);
  }

  #observe(settings: QueueSettings): Observation {
    const { access, burials, clock, log } = this.#options;
    const connection = access.borrow(settings);
    const queue = { ...connection.queue, isReady: () => connection.isReady() };
    const duty = createRecoverer({ queue, onBuried: (count) => burials.add(count), clock, log });
    void duty.start();
    return { of: nameOf(settings), connection, duty };
  }
}

function nameOf({ redis, queue }: QueueSettings): string {
  return JSON.stringify([redis, queue]);
}

async function end(observation: Observation | undefined): Promise<void> {
  await observation?.duty.stop();
  await observation?.connection.release();
}
