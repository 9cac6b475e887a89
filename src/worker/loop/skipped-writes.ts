import { leftOutText, skippedText, type SkippedWrites } from '../../domain/dead-letters/skipped.js';
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
    const { metrics } = this.#options;
    metrics.skipped('telling', skipped.tellings);
    metrics.skipped('index', skipped.letters);
    if (skipped.reason !== '') this.#sayOnce(skipped.reason, () => skippedText(skipped));
    const { failures } = skipped;
    if (!failures) return;
    metrics.skipped('failure', failures.count);
    this.#sayOnce(`failures: ${failures.reason}`, () => leftOutText(failures.reason));
  }

  #sayOnce(reason: string, text: () => string): void {
    if (this.#said.has(reason)) return;
    this.#said.add(reason);
    this.#options.log.warn(text());
  }
}
