import type { MainServer, StatusUpdate } from '../../delivery/main-server.js';
import type { Message } from '../../domain/message.js';
import type { Claim, Settlement } from '../../queue/message-queue.js';
import type { Config } from '../../shared/config/config.js';
import type { Log } from '../../shared/logger/log.js';
import type { Clock } from '../../shared/time/clock.js';
import { Deadline } from '../../shared/time/deadline.js';
import { printable } from '../../shared/words/escape.js';
import type { Burial } from './burial.js';

interface GivingUpOptions {
  readonly config: Pick<Config, 'worker' | 'mainServer'>;
  readonly server: Pick<MainServer, 'updateStatus'>;
  readonly burial: Pick<Burial, 'bury'>;
  readonly clock: Clock;
  readonly log: Log;
}

const ERROR_MESSAGE = 'Max attempts exceeded';
/** Request timeout, too many requests: of 4xx those that may be taken later. */
const ASK_AGAIN: ReadonlySet<number> = new Set([408, 429]);

/**
 * The end of a message whose attempts are spent: the main server is told that it failed, and then it is buried.
 *
 * Buried before, the main server would show it as queued for ever: while it does not take it, that is tried again after
 * each retry interval, however long it takes, and over restarts. Meanwhile the message holds no slot.
 */
export class GivingUp {
  readonly #options: GivingUpOptions;

  constructor(options: GivingUpOptions) {
    this.#options = options;
  }

  /** Never rejects. `signal` (the kill) hands the message back untouched. */
  async giveUp(claim: Claim, message: Message, signal: AbortSignal): Promise<Settlement> {
    const { config, server, burial, clock, log } = this.#options;
    const id = printable(message.id, 255);
    log.error(`Message ${id} exceeded max attempts (${config.worker.maxAttempts}), marking as failed`);
    const { attemptCount } = message;
    const update: StatusUpdate = { status: 'failed', attemptCount, errorMessage: ERROR_MESSAGE };
    const deadline = new Deadline(config.mainServer.timeoutMs, clock);
    const outcome = await server.updateStatus(message.id, update, deadline, signal);
    if (outcome.kind === 'aborted') return { kind: 'hand-back', claim };
    if (outcome.kind === 'failed' && !isRefused(outcome.status)) {
      log.warn(`Message ${id} could not be marked as failed (${outcome.errorMessage}), trying again later`);
      const delayMs = config.worker.retryIntervalMs;
      return { kind: 'retry', claim, message: claim.raw, messageId: message.id, delayMs };
    }
    return burial.bury(claim, 'max_attempts_exceeded', ERROR_MESSAGE, message);
  }
}

/** It understood and does not want it: it has no such message, or not this status for it. Asking again changes nothing. */
function isRefused(status: number | undefined): boolean {
  return status !== undefined && status >= 400 && status < 500 && !ASK_AGAIN.has(status);
}
