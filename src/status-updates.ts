import { setMaxListeners } from 'node:events';
import type { MainServer, StatusUpdate } from './delivery/main-server.js';
import { printable } from './domain/escape.js';
import type { Clock } from './shared/clock.js';
import type { Log } from './shared/log.js';

/** Above this many waiting the newest are dropped: each is advice to the main server, not the message. */
const MOST_WAITING = 1_000;
const LONGEST_MS = 10_000;
/** The rest of the retry interval stays free, so that a PUT is over before the message can be POSTed again. */
const SHARE_OF_INTERVAL = 0.8;
const DROP_REPORT_MS = 60_000;

/**
 * Tells the main server of failed attempts, outside the slots: a server that hangs on PUT must not hold deliveries up.
 *
 * A late "queued" must not overwrite "delivered", so each update is cut before its message falls due again.
 */
export class StatusUpdates {
  private readonly sending = new Set<Promise<void>>();
  private readonly abort = new AbortController();
  private dropped = 0;
  private reportedAt = -Infinity;

  constructor(
    private readonly deps: {
      readonly server: MainServer;
      readonly retryIntervalMs: number;
      readonly clock: Clock;
      readonly log: Log;
    },
  ) {
    setMaxListeners(0, this.abort.signal); // one for each update under way
  }

  /** `settledAt`: before the retry was scheduled, monotonic ms. Never rejects, waits for nothing. */
  send(messageId: string, update: StatusUpdate, settledAt: number): void {
    if (this.sending.size >= MOST_WAITING) return this.drop();
    const budget = Math.min(LONGEST_MS, SHARE_OF_INTERVAL * this.deps.retryIntervalMs);
    const deadlineMs = budget - (this.deps.clock.now() - settledAt);
    if (deadlineMs <= 0) return this.drop();
    const sent = this.put(messageId, update, deadlineMs).finally(() => this.sending.delete(sent));
    this.sending.add(sent);
  }

  /** Resolves when nothing is being sent. */
  async idle(): Promise<void> {
    while (this.sending.size > 0) await Promise.all(this.sending);
  }

  /** Cuts what is being sent. */
  kill(): void {
    this.abort.abort();
  }

  private async put(messageId: string, update: StatusUpdate, deadlineMs: number): Promise<void> {
    const outcome = await this.deps.server.updateStatus(messageId, update, deadlineMs, this.abort.signal);
    if (outcome.kind !== 'failed') return;
    this.deps.log.warn(`Status of message ${printable(messageId, 255)} was not updated: ${outcome.errorMessage}`);
  }

  private drop(): void {
    this.dropped += 1;
    const now = this.deps.clock.now();
    if (now - this.reportedAt < DROP_REPORT_MS) return;
    this.deps.log.warn(`${this.dropped} status update(s) left out: the main server takes them too slowly`);
    this.dropped = 0;
    this.reportedAt = now;
  }
}
