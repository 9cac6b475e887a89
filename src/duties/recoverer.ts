import { POISON_CRASHES } from '../domain/dead-letter.js';
import type { RecoveryQueue } from '../queue/message-queue.js';
import type { Clock } from '../shared/time/clock.js';
import type { Life } from '../shared/life.js';
import type { Log } from '../shared/logger/log.js';
import type { WorkerMetrics } from '../shared/metrics/worker-metrics.js';
import { createRepeatingDuty } from './repeating-duty.js';

const LOOK_EVERY_MS = 1_000;
/** A gap between two looks that means Redis, or this process, was away. */
const AWAY_MS = 3_500;
/** Time for the others to renew their leases once Redis answers again: one renewal of 4 s and its reconnection. */
const HOLD_OFF_MS = 6_000;

interface RecovererOptions {
  readonly queue: RecoveryQueue;
  readonly ownConsumer: () => string;
  readonly metrics: Pick<WorkerMetrics, 'failed'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Returns the claims of consumers whose lease has run out: their host died, or their process hangs.
 *
 * While Redis was away no lease could be renewed, so after a gap the recoverer waits before it believes one has run out.
 */
export function createRecoverer(options: RecovererOptions): Life {
  const { queue, ownConsumer, metrics, clock, log } = options;
  let lookedAt = clock.now();
  // at the start, too: we may have been started by the same fault that keeps the others from renewing
  let believeFrom = clock.now() + HOLD_OFF_MS;

  async function recover(consumer: string): Promise<void> {
    const { recovered, buried } = await queue.recover(consumer, { evenIfLeased: false }).catch((error: unknown) => {
      // refused by a full or read-only Redis, which refuses renewals as well
      believeFrom = clock.now() + HOLD_OFF_MS;
      throw error;
    });
    if (recovered > 0) log.warn(`Recovered ${recovered} message(s) of ${consumer}, whose lease ran out`);
    if (buried === 0) return;
    const latest = { at: clock.wallNow(), error: `In flight at ${POISON_CRASHES} crashes`, messageId: '' };
    for (let count = 0; count < buried; count += 1) metrics.failed('poison', latest);
    log.error(
      `Moved ${buried} message(s) of ${consumer} to the dead list: they were in flight at ${POISON_CRASHES} crashes`,
    );
  }

  return createRepeatingDuty({
    async step() {
      if (!queue.isReady()) return LOOK_EVERY_MS;
      const { expired, nextExpiryMs } = await queue.expiredConsumers();
      const now = clock.now();
      if (now - lookedAt > AWAY_MS) believeFrom = now + HOLD_OFF_MS;
      lookedAt = now;
      if (now >= believeFrom) {
        for (const consumer of expired) if (consumer !== ownConsumer()) await recover(consumer);
      }
      return Math.min(LOOK_EVERY_MS, nextExpiryMs ?? LOOK_EVERY_MS);
    },
    onError: () => log.debug('Looking for expired leases failed; trying again'),
    retryMs: LOOK_EVERY_MS,
    clock,
  });
}
