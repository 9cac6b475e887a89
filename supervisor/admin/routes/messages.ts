import type { Config } from '../../../src/shared/config/config.js';
import type { Clock } from '../../../src/shared/time/clock.js';
import { readFields, wholeNumber, word, type Fields } from '../fields.js';
import { filterOfFields, MESSAGE_FILTER } from '../filter-fields.js';
import { detailsWithClaims, seenSummary, withClaims, type AskClaims } from '../documents/claims.js';
import { messageList } from '../documents/messages.js';
import type { MessageListFields } from '../protocol.js';
import { route, type Route } from '../route.js';
import { answerFromQueue } from './on-queue.js';

const LIST_FIELDS: Fields<MessageListFields> = { ...MESSAGE_FILTER, limit: wholeNumber(1, 1_000), after: word };
const DEFAULT_LIMIT = 50;
/** A list that is not complete by then is answered as far as it is, with where to go on. */
const LIST_MS = 100;
/** A page of a browser needs no more; `message show` prints the whole. */
const SHOWN_MESSAGE_BYTES = 65_536;

export function messageRoutes(config: () => Config, clock: Clock, claims: AskClaims): readonly Route[] {
  return [
    route('messages', ({ fields, isAbandoned }) => {
      const { limit = DEFAULT_LIMIT, after, ...which } = readFields<MessageListFields>(fields, LIST_FIELDS);
      const filter = filterOfFields(which);
      const query = { filter, limit, budgetMs: LIST_MS, isAbandoned, ...(after === undefined ? {} : { after }) };
      return answerFromQueue(config(), clock, async (queue) => {
        const page = await queue.messages.list(query, seenSummary);
        const entries = await withClaims(page.entries, claims);
        return messageList({ ...page, entries }, await queue.sizes(), filter.places);
      });
    }),
    route('message', ({ params: { id }, isAbandoned }) =>
      answerFromQueue(config(), clock, async ({ messages }) => {
        const found = await messages.find(id, { mostBytes: SHOWN_MESSAGE_BYTES, isAbandoned });
        return detailsWithClaims(id, found, SHOWN_MESSAGE_BYTES, claims);
      }),
    ),
  ];
}
