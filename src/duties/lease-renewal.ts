import type { MessageQueue } from '../queue/message-queue.js';
import type { Clock } from '../shared/time/clock.js';
import type { Life } from '../shared/life.js';
import type { Log } from '../shared/logger/log.js';
import { createRepeatingDuty } from './repeating-duty.js';

/** A lease of 13 s survives two renewals missed. */
const RENEW_EVERY_MS = 4_000;
const TRY_AGAIN_MS = 250;

interface LeaseRenewalOptions {
  readonly queue: MessageQueue;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps the consumer's lease alive, also while the work loop has nothing to ask Redis. */
export function createLeaseRenewal(options: LeaseRenewalOptions): Life {
  const { queue, clock, log } = options;
  return createRepeatingDuty({
    async step() {
      if (!queue.isReady()) return TRY_AGAIN_MS;
      await queue.renewLease();
      return RENEW_EVERY_MS;
    },
    onError: () => log.debug('Renewing the lease failed; trying again'),
    retryMs: TRY_AGAIN_MS,
    clock,
  });
}
