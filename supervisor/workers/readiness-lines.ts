import type { Log } from '../../src/shared/logger/log.js';
import type { WorkerHandle } from './worker-handle.js';

/** One line in the log when a worker becomes ready, and one when it stops being so. */
export class ReadinessLines {
  readonly #log: Log;
  readonly #said = new WeakMap<WorkerHandle, string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param worker at work. */
  say(worker: WorkerHandle): void {
    const { beat, title } = worker;
    if (!beat || this.#said.get(worker) === beat.state || (beat.state !== 'ready' && beat.state !== 'degraded')) return;
    this.#said.set(worker, beat.state);
    if (beat.state === 'ready') this.#log.info(`${title} is ready`);
    else this.#log.warn(`${title} is degraded: ${beat.reasons.join('; ') || 'it gave no reason'}`);
  }
}
