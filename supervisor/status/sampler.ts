import type { Life } from '../../src/shared/life.js';
import type { Clock, Timer } from '../../src/shared/time/clock.js';
import type { WorkerSlot } from '../workers/worker-slot.js';
import type { CountLedger } from './counts.js';
import { RecentErrors } from './errors.js';
import { History, sampleOf } from './history.js';
import type { ErrorStatus, StatusDocument, TrafficStatus } from './status-document.js';
import { TrafficMeter } from './traffic-meter.js';

const SAMPLE_EVERY_MS = 2_000;

interface SamplerOptions {
  readonly counts: CountLedger;
  /** All there are now. */
  readonly slots: () => readonly WorkerSlot[];
  /** Made anew after each look; it shows traffic and errors of this part. */
  readonly status: () => StatusDocument;
  readonly clock: Clock;
}

/** Looks at the ledger every two seconds: what the workers did lately, what went wrong, and how it came to this. */
export class Sampler implements Life {
  readonly #options: SamplerOptions;
  readonly #meter = new TrafficMeter(SAMPLE_EVERY_MS);
  readonly #errors = new RecentErrors();
  readonly #history = new History();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  get traffic(): TrafficStatus {
    return this.#meter.traffic;
  }

  get errors(): readonly ErrorStatus[] {
    return this.#errors.list(this.#options.clock.now());
  }

  get history(): Pick<History, 'total' | 'since'> {
    return this.#history;
  }

  start(): void {
    if (this.#stopped) return;
    this.#timer ??= this.#options.clock.every(SAMPLE_EVERY_MS, () => this.#look());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #look(): void {
    const { counts, slots, status, clock } = this.#options;
    const now = slots();
    this.#meter.look(counts.bySlot(now));
    this.#errors.look(counts.failures(now), clock.now());
    this.#history.add(sampleOf(status(), clock.wallNow()));
  }
}
