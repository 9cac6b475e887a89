import type { DeliveryOutcome } from '../../domain/delivery-outcome.js';
import type { MainServer } from '../../delivery/main-server.js';
import type { UntoldBurial } from '../../queue/background-queue.js';
import type { Deadline } from '../../shared/time/deadline.js';
import type { PauseWatch } from '../loop/pause-watch.js';
import type { StatusPlaces } from '../loop/status-places.js';
import type { Copies } from './copies.js';

interface BurialTellingOptions {
  readonly server: Pick<MainServer, 'updateStatus'>;
  readonly copies: Pick<Copies, 'take' | 'release'>;
  readonly places: Pick<StatusPlaces, 'take' | 'release'>;
  readonly pause: Pick<PauseWatch, 'isOpen'>;
}

/**
 * Tells as StatusUpdates, past the breaker, in its places; not of an id of which another copy is in hand here, and not when a
 * pause or the deadline comes while it waits for its place. Undefined = it was not told.
 */
export function burialTelling({ server, copies, places, pause }: BurialTellingOptions) {
  return async (
    { messageId, attemptCount, errorMessage }: UntoldBurial,
    deadline: Deadline,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome | undefined> => {
    if (!copies.take(messageId)) return undefined;
    const hasPlace = await places.take(() => !deadline.isOver && pause.isOpen, signal);
    try {
      if (!hasPlace) return undefined;
      return await server.updateStatus(messageId, { status: 'failed', attemptCount, errorMessage }, deadline, signal);
    } finally {
      copies.release(messageId);
      if (hasPlace) places.release();
    }
  };
}
