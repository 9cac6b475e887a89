import type { BurialReason } from '../../domain/dead-letters/reasons.js';
import { deadLetter } from '../../domain/dead-letters/dead-letter.js';
import type { Message } from '../../domain/message.js';
import type { Claim, Settlement } from '../../queue/message-queue.js';
import type { WorkerMetrics } from '../../shared/metrics/worker-metrics.js';
import type { Clock } from '../../shared/time/clock.js';

interface BurialOptions {
  readonly workerId: string;
  readonly metrics: Pick<WorkerMetrics, 'failed'>;
  readonly clock: Clock;
}

interface Buried {
  /** Undefined = there is none to be read in what was claimed. */
  readonly message?: Message;
  /** The main server is still to hear of it. */
  readonly isUntold?: boolean;
}

/** Lays messages that will not be attempted again among the dead, each under the envelope that says why. */
export class Burial {
  readonly #options: BurialOptions;

  constructor(options: BurialOptions) {
    this.#options = options;
  }

  bury(claim: Claim, reason: BurialReason, error: string, { message, isUntold }: Buried = {}): Settlement {
    const { workerId, metrics, clock } = this.#options;
    const deadAt = clock.wallNow();
    metrics.failed(reason, { at: deadAt, error, messageId: message?.id ?? '' });
    const attemptCount = message?.attemptCount ?? 0;
    const envelope = deadLetter({ raw: claim.raw, reason, error, attemptCount, workerId, deadAt });
    return { kind: 'bury', claim, envelope, ...(isUntold ? { isUntold } : {}) };
  }
}
