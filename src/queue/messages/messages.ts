/** Messages, wherever they lie, as an operator looks at them. */
import type { DeadLetters } from '../dead-letters/dead-letters.js';
import { walkClaims } from './claims-walk.js';
import { findMessage, type FindOptions } from './finding.js';
import type { LivingMessage } from './found.js';
import { walkWaiting } from './list-walk.js';
import { listMessages, type AnyMessage, type MessagePage, type MessageQuery } from './listing.js';
import { walkRetries } from './retry-walk.js';
import type { LivingPlace, MessageWalks, WalkRequest, WalkStep, WalkTools } from './walk.js';

/** Everything rejects with RedisUnavailableError while Redis does not answer. */
export interface Messages extends MessageWalks {
  /** Every copy of this id; none = it is delivered, removed, never seen, or in the hands of a Python worker. */
  find(id: string, options?: FindOptions): Promise<readonly AnyMessage[]>;
  /** `shown`: what is kept of each. */
  list<T>(query: MessageQuery, shown: (message: AnyMessage) => T): Promise<MessagePage<T>>;
}

async function* walkNothing(): AsyncGenerator<WalkStep<never>> {
  yield await Promise.resolve({ found: [], looked: 0, total: 0, next: undefined });
}

const WALKS = { waiting: walkWaiting, in_flight: walkClaims, retry: walkRetries };

export function redisMessages(tools: WalkTools, deadLetters: Pick<DeadLetters, 'list'>): Messages {
  const walks: MessageWalks = {
    walk<Place extends LivingPlace>(place: Place, request: WalkRequest) {
      // only a retry is due at some time
      const walkIt = request.filter.dueWithinMs !== undefined && place !== 'retry' ? walkNothing : WALKS[place];
      return walkIt(tools, request) as AsyncGenerator<WalkStep<Extract<LivingMessage, { place: Place }>>>;
    },
  };
  return {
    ...walks,
    find: (id, options) => findMessage({ walks, deadLetters }, id, options),
    list: (query, shown) => listMessages({ walks, deadLetters, clock: tools.clock }, query, shown),
  };
}
