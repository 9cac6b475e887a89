import { setMaxListeners } from 'node:events';
import type { MainServer, StatusUpdate } from '../../delivery/main-server.js';
import type { FlowControl } from '../../domain/flow/flow-control.js';
import { statusBudgetMs } from '../../domain/clocks/status-window.js';
import type { Life } from '../../shared/life.js';
import type { Log } from '../../shared/logger/log.js';
import type { Clock } from '../../shared/time/clock.js';
import { Deadline, type Moment } from '../../shared/time/deadline.js';
import type { Copies } from './copies.js';
import { printable } from '../../shared/words/escape.js';

/** Above this many waiting the newest are dropped: each is advice to the main server, not the message. */
const MOST_WAITING = 1_000;
const DROP_REPORT_MS = 60_000;

interface Waiting {
  readonly messageId: string;
  readonly update: StatusUpdate;
  readonly deadline: Deadline;
}

interface StatusUpdatesOptions {
  readonly server: Pick<MainServer, 'updateStatus'>;
  readonly retryIntervalMs: number;
  readonly copies: Pick<Copies, 'isAwaited' | 'release'>;
  /** As many are sent at once as there may be deliveries: the main server serves both from the same pool. */
  readonly flow: Pick<FlowControl, 'limit'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Tells the main server of failed attempts, outside the slots: a server that hangs on PUT must not hold deliveries up.
 *
 * A late "queued" must not overwrite "delivered", so each update is cut before its message falls due again. There are as
 * many at once as deliveries may be; the others wait here, where each takes less than as a request.
 *
 * It lives from the first `send` on, and runs only while there is something to send.
 */
export class StatusUpdates implements Pick<Life, 'stop'> {
  readonly #options: StatusUpdatesOptions;
  readonly #waiting: Waiting[] = [];
  readonly #abort = new AbortController();
  readonly #idleWaiters: (() => void)[] = [];
  #sending = 0;
  #dropped = 0;
  #reportedAt = -Infinity;

  constructor(options: StatusUpdatesOptions) {
    this.#options = options;
    setMaxListeners(0, this.#abort.signal); // one for each update under way
  }

  /** Releases the message when that is over. `settledAt`: before the retry was scheduled. Waits for nothing. */
  send(messageId: string, update: StatusUpdate, settledAt: Moment): void {
    if (this.#abort.signal.aborted) return;
    if (this.#waiting.length >= MOST_WAITING) return this.#drop(messageId);
    const budgetMs = statusBudgetMs(this.#options.retryIntervalMs);
    this.#waiting.push({ messageId, update, deadline: new Deadline(budgetMs, this.#options.clock, settledAt) });
    this.#sendMore();
  }

  /** Resolves when nothing is being sent or waits. */
  async idle(): Promise<void> {
    if (this.#sending > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Cuts what is being sent, and sends no more. */
  async stop(): Promise<void> {
    this.#waiting.length = 0;
    this.#abort.abort();
    await this.idle();
  }

  #sendMore(): void {
    const { copies, flow } = this.#options;
    while (this.#sending < flow.limit) {
      const next = this.#waiting.shift();
      if (!next) return;
      if (next.deadline.isOver) this.#drop(next.messageId);
      else if (copies.isAwaited(next.messageId)) copies.release(next.messageId);
      else void this.#put(next);
    }
  }

  async #put({ messageId, update, deadline }: Waiting): Promise<void> {
    const { server, copies, log } = this.#options;
    this.#sending += 1;
    const outcome = await server.updateStatus(messageId, update, deadline, this.#abort.signal);
    if (outcome.kind === 'failed') {
      log.warn(`Status of message ${printable(messageId, 255)} was not updated: ${outcome.errorMessage}`);
    }
    this.#sending -= 1;
    copies.release(messageId);
    this.#sendMore();
    if (this.#sending === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #drop(messageId: string): void {
    this.#options.copies.release(messageId);
    this.#dropped += 1;
    const now = this.#options.clock.now();
    if (now - this.#reportedAt < DROP_REPORT_MS) return;
    this.#options.log.warn(`${this.#dropped} status update(s) left out: the main server takes them too slowly`);
    this.#dropped = 0;
    this.#reportedAt = now;
  }
}
