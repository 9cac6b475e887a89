import { setMaxListeners } from 'node:events';
import type { Claim } from '../../queue/message-queue.js';
import type { WorkerMetrics } from '../../shared/metrics/worker-metrics.js';
import type { AttemptResult, Attempts } from '../attempt/attempt.js';

interface InFlightOptions {
  readonly attempts: Pick<Attempts, 'run'>;
  readonly metrics: Pick<WorkerMetrics, 'setProcessing'>;
  readonly onEnded: (result: AttemptResult) => void;
}

interface Entry {
  readonly claim: Claim;
  /** Counts up with each claim. */
  readonly number: number;
  /** Among the entries. */
  place: number;
}

/** The messages that are being delivered, or wait for that in hand. */
export class InFlight {
  readonly #options: InFlightOptions;
  /** In no order. Not a Set, for the reason in delivery/exchange/exchanges-in-flight.ts. */
  readonly #entries: Entry[] = [];
  #number = 0;
  readonly #cut = new AbortController();

  constructor(options: InFlightOptions) {
    this.#options = options;
    setMaxListeners(0, this.#cut.signal); // one for each that sleeps before it asks again
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The oldest first. */
  get claims(): readonly Claim[] {
    return this.#entries.toSorted((one, other) => one.number - other.number).map(({ claim }) => claim);
  }

  /** `wasAwaited`: it came while an empty queue was waited on. */
  deliver(claim: Claim, wasAwaited = false): void {
    const { attempts, metrics, onEnded } = this.#options;
    this.#number += 1;
    const entry: Entry = { claim, number: this.#number, place: this.#entries.length };
    this.#entries.push(entry);
    metrics.setProcessing(this.#entries.length);
    // an attempt never rejects: what does is a bug, and ends the process
    void attempts.run(claim, this.#cut.signal, wasAwaited).then((result) => {
      this.#remove(entry);
      metrics.setProcessing(this.#entries.length);
      onEnded(result);
    });
  }

  /** The last one takes its place. */
  #remove({ place }: Entry): void {
    const last = this.#entries.pop();
    if (!last || last.place === place) return;
    this.#entries[place] = last;
    last.place = place;
  }

  /** Ends every delivery; what is not delivered yet is handed back. */
  cut(): void {
    this.#cut.abort();
  }
}
