/** Messages that are not dead, wherever they lie, as an operator looks at them. */
import { walkClaims } from './claims-walk.js';
import type { LivingMessage } from './found.js';
import { walkWaiting } from './list-walk.js';
import { walkRetries } from './retry-walk.js';
import type { WalkRequest, WalkStep, WalkTools } from './walk.js';

export type LivingPlace = LivingMessage['place'];
/** In the order in which a message passes through them. */
export const LIVING_PLACES: readonly LivingPlace[] = ['waiting', 'in_flight', 'retry'];

/** Everything rejects with RedisUnavailableError while Redis does not answer. */
export interface Messages {
  /**
   * Step by step what the filter means of those that lie in one place: waiting ones from the newest to the oldest, retries
   * from the one due first, not beyond the last that is there at the start.
   */
  walk<Place extends LivingPlace>(
    place: Place,
    request: WalkRequest,
  ): AsyncGenerator<WalkStep<Extract<LivingMessage, { place: Place }>>>;
}

const WALKS = { waiting: walkWaiting, in_flight: walkClaims, retry: walkRetries };

export function redisMessages(tools: WalkTools): Messages {
  return {
    walk<Place extends LivingPlace>(place: Place, request: WalkRequest) {
      return WALKS[place](tools, request) as AsyncGenerator<WalkStep<Extract<LivingMessage, { place: Place }>>>;
    },
  };
}
