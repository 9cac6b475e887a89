import { setMaxListeners } from 'node:events';
import type { MainServer, StatusUpdate } from '../../delivery/main-server.js';
import { statusBudgetMs } from '../../domain/clocks/status-window.js';
import type { Life } from '../../shared/life.js';
import type { Log } from '../../shared/logger/log.js';
import type { Clock } from '../../shared/time/clock.js';
import { Deadline, type Moment } from '../../shared/time/deadline.js';
import type { StatusPlaces, Telling } from '../loop/status-places.js';
import type { Copies } from './copies.js';
import { printable } from '../../shared/words/escape.js';

/** Above this many waiting the newest are dropped: each is advice to the main server, not the message. */
const MOST_WAITING = 1_000;
const DROP_REPORT_MS = 60_000;

interface StatusUpdatesOptions {
  readonly server: Pick<MainServer, 'updateStatus'>;
  readonly retryIntervalMs: number;
  readonly copies: Pick<Copies, 'isAwaited' | 'release'>;
  /** At the main server, which serves deliveries from the same pool. */
  readonly places: Pick<StatusPlaces, 'ask' | 'release'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Tells the main server of failed attempts, outside the slots: a server that hangs on PUT must not hold deliveries up.
 *
 * A late "queued" must not overwrite "delivered", so each update is cut before its message falls due again. Each waits for
 * a place at the main server, where it takes less than as a request.
 *
 * It lives from the first `send` on, and runs only while there is something to send.
 */
export class StatusUpdates implements Pick<Life, 'stop'> {
  readonly #options: StatusUpdatesOptions;
  readonly #abort = new AbortController();
  readonly #idleWaiters: (() => void)[] = [];
  #waiting = 0;
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
    if (this.#waiting >= MOST_WAITING) return this.#drop(messageId);
    const { retryIntervalMs, clock, places } = this.#options;
    this.#waiting += 1;
    places.ask(this.#telling(messageId, update, new Deadline(statusBudgetMs(retryIntervalMs), clock, settledAt)));
  }

  /** Resolves when nothing is being sent or waits. */
  async idle(): Promise<void> {
    if (this.#isBusy) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Cuts what is being sent, and sends no more. */
  async stop(): Promise<void> {
    this.#waiting = 0;
    this.#abort.abort();
    this.#noteEnd();
    await this.idle();
  }

  get #isBusy(): boolean {
    return this.#sending + this.#waiting > 0;
  }

  #telling(messageId: string, update: StatusUpdate, deadline: Deadline): Telling {
    const { copies } = this.#options;
    return {
      isWanted: () => {
        if (this.#abort.signal.aborted) return false;
        const isOver = deadline.isOver;
        if (!isOver && !copies.isAwaited(messageId)) return true;
        this.#waiting -= 1;
        if (isOver) this.#drop(messageId);
        else copies.release(messageId);
        this.#noteEnd();
        return false;
      },
      begin: () => {
        this.#waiting -= 1;
        void this.#put(messageId, update, deadline);
      },
    };
  }

  async #put(messageId: string, update: StatusUpdate, deadline: Deadline): Promise<void> {
    const { server, copies, places, log } = this.#options;
    this.#sending += 1;
    const outcome = await server.updateStatus(messageId, update, deadline, this.#abort.signal);
    if (outcome.kind === 'failed') {
      log.warn(`Status of message ${printable(messageId, 255)} was not updated: ${outcome.errorMessage}`);
    }
    this.#sending -= 1;
    copies.release(messageId);
    places.release();
    this.#noteEnd();
  }

  #noteEnd(): void {
    if (!this.#isBusy) for (const resolve of this.#idleWaiters.splice(0)) resolve();
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
