/**
 * Writes what fails, by reason, client and domain, to the counts of the hour: once a second and only where something has
 * failed. A side book: what Redis refuses is counted, said once and left out; while Redis is away it waits, in a few groups.
 */
import { tellsOfMessage } from '../domain/delivery-outcome.js';
import { FailingClients, type FailingFacts } from '../domain/failures/failing-clients.js';
import { FailureTally, type CountedFailure } from '../domain/failures/failure-tally.js';
import type { FailureQueue } from '../queue/background-queue.js';
import { reasonOf } from '../shared/errors.js';
import type { Life } from '../shared/life.js';
import type { Log } from '../shared/logger/log.js';
import type { WorkerMetrics } from '../shared/metrics/worker-metrics.js';
import type { Clock, Timer } from '../shared/time/clock.js';

const WRITE_AFTER_MS = 1_000;
const RETRY_MS = 5_000;

interface FailureCountsOptions {
  readonly queue: Pick<FailureQueue, 'isReady' | 'countFailures'>;
  readonly metrics: Pick<WorkerMetrics, 'skipped'>;
  readonly retryIntervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export class FailureCounts implements Life {
  readonly #options: FailureCountsOptions;
  readonly #tally = new FailureTally();
  readonly #clients: FailingClients;
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  #hasSaid = false;
  #stopped = false;

  constructor(options: FailureCountsOptions) {
    this.#options = options;
    this.#clients = new FailingClients(options.retryIntervalMs);
  }

  /** Nothing to do: the first failure begins it. */
  start(): void {}

  note(failure: CountedFailure): void {
    const { client, status, at } = failure;
    if (tellsOfMessage(status)) {
      this.#clients.failed({ client: named(client), answer: `HTTP ${status}`, at }, this.#options.clock.now());
    }
    this.#tally.add(failure);
    this.#writeAfter(WRITE_AFTER_MS);
  }

  /** A message of this client was. */
  delivered(client: string | undefined): void {
    this.#clients.delivered(named(client), this.#options.clock.now());
  }

  /** Whose messages fail now. */
  get failing(): FailingFacts {
    return this.#clients.facts(this.#options.clock.now());
  }

  /** What has been counted is written, if Redis is there. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#writing;
    await this.#write();
  }

  #writeAfter(ms: number): void {
    if (this.#timer || this.#stopped) return;
    this.#timer = this.#options.clock.after(ms, () => {
      this.#writing = this.#write().then((isWritten) => {
        this.#timer = undefined;
        if (!this.#tally.isEmpty) this.#writeAfter(isWritten ? WRITE_AFTER_MS : RETRY_MS);
      });
    });
  }

  /** Never rejects. Resolves to false where it has to be tried again. */
  async #write(): Promise<boolean> {
    const { queue } = this.#options;
    if (!queue.isReady()) return false;
    const taken = this.#tally.take();
    for (const [at, [hour, counts]] of taken.entries()) {
      try {
        if (!(await queue.countFailures(hour, counts)))
          this.#leaveOut(counts.length, 'REDIS_SIDE_BOOKS_MAX is reached');
      } catch (error) {
        if (!queue.isReady()) {
          for (const [later, left] of taken.slice(at)) this.#tally.putBack(later, left);
          return false;
        }
        this.#leaveOut(counts.length, reasonOf(error));
      }
    }
    return true;
  }

  #leaveOut(groups: number, reason: string): void {
    const { metrics, log } = this.#options;
    metrics.skipped('failure_count', groups);
    if (this.#hasSaid) return;
    this.#hasSaid = true;
    log.warn(`What fails is not counted by the hour: ${reason}. Deliveries go on; "failures" does not show it`);
  }
}

/** A message without client_id has the empty text. */
function named(client: string | undefined): string | undefined {
  return client === '' ? undefined : client;
}
