/**
 * Watches whether messages may flow: whether the main server can be reached, as the breaker sees it
 * (domain/circuit-breaker.ts has the states). Says each change in the log and as a metric, and makes the probes that an
 * open breaker wants, one at a time.
 */
import type { MainServer } from '../../delivery/main-server.js';
import type { BreakerState, CircuitBreaker } from '../../domain/circuit-breaker.js';
import type { Clock } from '../../shared/time/clock.js';
import type { Log } from '../../shared/logger/log.js';
import type { WorkerMetrics } from '../../shared/metrics/worker-metrics.js';
import { asSentence, CAUSE } from '../../shared/words/causes.js';

interface FlowWatchOptions {
  readonly breaker: CircuitBreaker;
  readonly server: Pick<MainServer, 'probe'>;
  readonly metrics: Pick<WorkerMetrics, 'setBreakerOpen'>;
  readonly clock: Clock;
  readonly log: Log;
  /** A probe has ended and the breaker knows its result. */
  readonly onProbed: () => void;
}

export class FlowWatch {
  readonly #options: FlowWatchOptions;
  #seen: BreakerState = 'closed';
  #probing = false;
  #quieted = false;

  constructor(options: FlowWatchOptions) {
    this.#options = options;
  }

  /** Once at each turn of the work loop. True = the breaker is in another state than at the last look. */
  look(): boolean {
    const changed = this.#options.breaker.state !== this.#seen;
    if (changed) this.#noteChange();
    if (this.probeDueInMs() === 0) this.#probe();
    return changed;
  }

  /** Undefined = no probe is to be made. */
  probeDueInMs(): number | undefined {
    const { breaker, clock } = this.#options;
    return this.#probing || this.#quieted ? undefined : breaker.probeDueInMs(clock.now());
  }

  /** No more probes: nothing will be claimed any more. */
  quiet(): void {
    this.#quieted = true;
  }

  #noteChange(): void {
    const { breaker, metrics, log } = this.#options;
    metrics.setBreakerOpen(breaker.state !== 'closed');
    if (breaker.state === 'closed') log.info('Main server can be reached again, claiming messages');
    else if (this.#seen === 'closed') {
      log.error(`${asSentence(CAUSE.mainServer)} (${breaker.lastReason}): claiming is paused, looking again every 5 s`);
    }
    this.#seen = breaker.state;
  }

  #probe(): void {
    const { breaker, server, clock, onProbed } = this.#options;
    this.#probing = true;
    void server.probe().then((result) => {
      breaker.probed(result, clock.now());
      this.#probing = false;
      onProbed();
    });
  }
}
