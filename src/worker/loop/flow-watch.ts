/**
 * Watches whether messages may flow (domain/flow/flow-control.ts has the states): whether the main server can be reached,
 * and whether it asked to be left alone. Says each change in the log and as a metric, and makes the probes that are wanted,
 * one at a time.
 */
import type { MainServer } from '../../delivery/main-server.js';
import type { BreakerState } from '../../domain/flow/circuit-breaker.js';
import type { FlowControl } from '../../domain/flow/flow-control.js';
import type { Clock } from '../../shared/time/clock.js';
import type { Log } from '../../shared/logger/log.js';
import type { WorkerMetrics } from '../../shared/metrics/worker-metrics.js';
import { asSentence, mainServerProblem } from '../../shared/words/causes.js';

interface FlowWatchOptions {
  readonly flow: FlowControl;
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
  #isHeld = false;
  #probing = false;
  #quieted = false;

  constructor(options: FlowWatchOptions) {
    this.#options = options;
  }

  /** Once at each turn of the work loop. True = claiming is paused, or goes on, otherwise than at the last look. */
  look(): boolean {
    const { flow, clock } = this.#options;
    const hasMoved = flow.breaker.state !== this.#seen;
    const holdMs = flow.holdMs(clock.now());
    const changed = hasMoved || this.#isHeld !== holdMs > 0;
    if (hasMoved) this.#noteChange();
    if (this.#isHeld !== holdMs > 0) this.#noteHold(holdMs);
    if (this.probeDueInMs() === 0) this.#probe();
    return changed;
  }

  /** Undefined = no probe is to be made. */
  probeDueInMs(): number | undefined {
    const { flow, clock } = this.#options;
    return this.#probing || this.#quieted ? undefined : flow.probeDueInMs(clock.now());
  }

  /** No more probes: nothing will be claimed any more. */
  quiet(): void {
    this.#quieted = true;
  }

  #noteChange(): void {
    const { metrics, log } = this.#options;
    const { breaker } = this.#options.flow;
    metrics.setBreakerOpen(breaker.state !== 'closed');
    if (breaker.state === 'closed') log.info('Main server can be reached again, claiming messages');
    else if (this.#seen === 'closed') {
      const problem = asSentence(mainServerProblem(breaker.lastReason));
      log.error(`${problem}: claiming is paused, looking again every 5 s`);
    }
    this.#seen = breaker.state;
  }

  #noteHold(holdMs: number): void {
    const { log } = this.#options;
    this.#isHeld = holdMs > 0;
    const seconds = Math.ceil(holdMs / 1000);
    if (this.#isHeld) log.warn(`Main server asks for ${seconds} s of rest (Retry-After): claiming is paused`);
    else log.info('The rest that the main server asked for is over, claiming messages');
  }

  #probe(): void {
    const { flow, server, clock, onProbed } = this.#options;
    this.#probing = true;
    void server.probe().then((result) => {
      flow.probed(result, clock.now());
      this.#probing = false;
      onProbed();
    });
  }
}
