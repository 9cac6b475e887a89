import type { MainServer, StatusUpdate } from '../../delivery/main-server.js';
import { MAX_ATTEMPTS_ERROR } from '../../domain/dead-letters/dead-letter.js';
import { hasBeenTold } from '../../domain/end-of-telling.js';
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

/**
 * The end of a message whose attempts are spent: the main server is told that it failed, and then it is buried.
 *
 * Where it does not take that, it is buried all the same, as one that is still to be told of: duties/burial-teller.ts
 * does, however long it takes, and over restarts. Untold the main server would show it as queued for ever.
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
    const update: StatusUpdate = { status: 'failed', attemptCount, errorMessage: MAX_ATTEMPTS_ERROR };
    const deadline = new Deadline(config.mainServer.timeoutMs, clock);
    const outcome = await server.updateStatus(message.id, update, deadline, signal);
    if (outcome.kind === 'aborted') return { kind: 'hand-back', claim };
    const isTold = hasBeenTold(outcome);
    if (outcome.kind === 'failed' && !isTold) {
      log.warn(`Message ${id} could not be marked as failed (${outcome.errorMessage}), trying again later`);
    }
    return burial.bury(claim, 'max_attempts_exceeded', MAX_ATTEMPTS_ERROR, { message, isUntold: !isTold });
  }
}
