/**
 * The worker's sign of life to the primary.
 *
 *   at each turn of the work loop, until it has claimed ──▶ every 25 ms ──ready──▶ every second
 *
 * Sent from the turns themselves: a beat proves that the loop turns, not that the process exists. The primary waits for
 * the word "ready", and on an empty queue the turn after the first claim is followed by half a second of rest.
 */
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { ToPrimary } from '../shared/ipc.js';
import type { Life } from '../shared/life.js';
import type { Clock } from '../shared/time/clock.js';
import type { WorkerProcess } from './worker-process.js';

interface HeartbeatOptions {
  readonly worker: Pick<WorkerProcess, 'beat' | 'counts'>;
  /** Resolves when it is on its way. */
  readonly tell: (message: ToPrimary) => Promise<void>;
  readonly clock: Clock;
}

const BEAT_EVERY_MS = 1_000;
const EARLY_BEAT_EVERY_MS = 25;
/**
 * Of the timer whose lateness is measured. Its 50 wake-ups a second were a tenth of what an idle worker takes when it was
 * 20 ms.
 */
const LAG_LOOK_MS = 50;

export class Heartbeat implements Life {
  readonly #options: HeartbeatOptions;
  #delay: IntervalHistogram | undefined;
  #beatAt = -Infinity;
  #beatEveryMs = 0;
  #countedAt = -Infinity;
  #stopped: Promise<void> | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#delay || this.#stopped) return;
    this.#delay = monitorEventLoopDelay({ resolution: LAG_LOOK_MS });
    this.#delay.enable();
  }

  /** Tells the last counts. */
  stop(): Promise<void> {
    this.#delay?.disable();
    return (this.#stopped ??= this.tellCounts());
  }

  /** Called by the work loop. */
  turn(): void {
    const { clock, worker, tell } = this.#options;
    const now = clock.now();
    if (!this.#delay || this.#stopped || now - this.#beatAt < this.#beatEveryMs) return;
    this.#beatAt = now;
    const beat = worker.beat(lagSeconds(this.#delay));
    this.#delay.reset();
    if (beat.state === 'ready') this.#beatEveryMs = BEAT_EVERY_MS;
    else if (beat.consuming || this.#beatEveryMs > 0) this.#beatEveryMs = EARLY_BEAT_EVERY_MS;
    void tell({ type: 'beat', beat });
    if (now - this.#countedAt < BEAT_EVERY_MS) return;
    this.#countedAt = now;
    void this.tellCounts();
  }

  /** Also unasked, about once a second: rates are taken from one to the next, and a kill costs a second of them at most. */
  async tellCounts(): Promise<void> {
    const { worker, tell } = this.#options;
    await tell({ type: 'counts', counts: await worker.counts() });
  }
}

/** Of the last second. The histogram holds the time from one look to the next (libuv's timer, Node's perf_hooks). */
function lagSeconds(delay: IntervalHistogram): number {
  return Math.max(0, delay.percentile(99) / 1e9 - LAG_LOOK_MS / 1_000);
}
