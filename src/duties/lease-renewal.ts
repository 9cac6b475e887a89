import type { MessageQueue } from '../queue/message-queue.js';
import type { Log } from '../shared/logger/log.js';
import type { Clock } from '../shared/time/clock.js';
import type { Duty } from './duty-failures.js';
import { createRepeatingDuty } from './repeating-duty.js';

/** A lease of 13 s survives two renewals missed. */
const RENEW_EVERY_MS = 4_000;
const TRY_AGAIN_MS = 250;

interface LeaseRenewalOptions {
  readonly queue: MessageQueue;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps the consumer's lease alive, also while the work loop has nothing to ask Redis, or too much to tell it. */
export function createLeaseRenewal(options: LeaseRenewalOptions): Duty {
  const { queue, clock, log } = options;
  return createRepeatingDuty({
    name: 'lease renewal',
    isVital: true,
    async step() {
      try {
        await queue.renewLease();
      } catch (error) {
        // its own connection may be there before the others, and what is said of Redis is said once
        if (queue.isReady()) throw error;
        return TRY_AGAIN_MS;
      }
      return RENEW_EVERY_MS;
    },
    retryMs: TRY_AGAIN_MS,
    clock,
    log,
  });
}
