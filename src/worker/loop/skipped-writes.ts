import { skippedText, type SkippedWrites } from '../../domain/dead-letters/skipped.js';
import type { Log } from '../../shared/logger/log.js';
import type { WorkerMetrics } from '../../shared/metrics/worker-metrics.js';

interface SkippedWritesOptions {
  readonly metrics: Pick<WorkerMetrics, 'skipped'>;
  readonly log: Log;
}

/** What Redis refuses beside settlements that stand: counted each time, said once for each reason. */
export class SkippedWritesWatch {
  readonly #options: SkippedWritesOptions;
  readonly #said = new Set<string>();

  constructor(options: SkippedWritesOptions) {
    this.#options = options;
  }

  note(skipped: SkippedWrites): void {
    const { metrics, log } = this.#options;
    metrics.skipped('telling', skipped.tellings);
    metrics.skipped('index', skipped.letters);
    if (this.#said.has(skipped.reason)) return;
    this.#said.add(skipped.reason);
    log.warn(skippedText(skipped));
  }
}
