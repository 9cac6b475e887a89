import { setMaxListeners } from 'node:events';
import type { Claim } from '../../queue/message-queue.js';
import type { WorkerMetrics } from '../../shared/metrics/worker-metrics.js';
import type { AttemptResult, Attempts } from '../attempt/attempt.js';

interface InFlightOptions {
  readonly attempts: Pick<Attempts, 'run'>;
  readonly metrics: Pick<WorkerMetrics, 'setProcessing'>;
  readonly onEnded: (result: AttemptResult) => void;
}

/** The messages that are being delivered, or wait for that in hand. */
export class InFlight {
  readonly #options: InFlightOptions;
  readonly #claims = new Set<Claim>();
  readonly #cut = new AbortController();

  constructor(options: InFlightOptions) {
    this.#options = options;
    setMaxListeners(0, this.#cut.signal); // one for each that sleeps before it asks again
  }

  get size(): number {
    return this.#claims.size;
  }

  /** The oldest first. */
  get claims(): Iterable<Claim> {
    return this.#claims;
  }

  /** `wasAwaited`: it came while an empty queue was waited on. */
  deliver(claim: Claim, wasAwaited = false): void {
    const { attempts, metrics, onEnded } = this.#options;
    this.#claims.add(claim);
    metrics.setProcessing(this.#claims.size);
    // an attempt never rejects: what does is a bug, and ends the process
    void attempts.run(claim, this.#cut.signal, wasAwaited).then((result) => {
      this.#claims.delete(claim);
      metrics.setProcessing(this.#claims.size);
      onEnded(result);
    });
  }

  /** Ends every delivery; what is not delivered yet is handed back. */
  cut(): void {
    this.#cut.abort();
  }
}
