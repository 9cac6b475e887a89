import { isUnfiltered, type DeadLetterFilter } from '../../src/domain/dead-letter-filter.js';
import { withOperatorQueue, type OperatorQueue } from '../../src/queue/operator-queue.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Config } from '../../src/shared/config/config.js';
import { RedisUnavailableError, UnusableRedisError } from '../../src/shared/errors.js';
import { flag, oneOf, readFields, seconds, texts, wholeNumber, type Fields } from './fields.js';
import { RequestError, type AdminRequest, type Answer, type Route } from './route.js';
import { detailsOf, listDocument, REASONS, runDocument, summaryOf } from './dead-letter-document.js';

interface FilterFields {
  readonly reason: string;
  readonly older_than_seconds: number;
  readonly newer_than_seconds: number;
}

interface RunFields extends FilterFields {
  readonly ids: readonly string[];
  readonly dry_run: boolean;
  readonly all: boolean;
}

const FILTER_FIELDS: Fields<FilterFields> = {
  reason: oneOf<string>(REASONS),
  older_than_seconds: seconds,
  newer_than_seconds: seconds,
};
const RUN_FIELDS: Fields<RunFields> = { ...FILTER_FIELDS, ids: texts, dry_run: flag, all: flag };
const LIST_FIELDS = { ...FILTER_FIELDS, limit: wholeNumber(1, 1_000) };
const DEFAULT_LIMIT = 50;
/** A page of a browser needs no more; `dead show` prints the whole. */
const SHOWN_MESSAGE_BYTES = 65_536;

/**
 * Dead letters over HTTP. One replay or purge at a time: two would only get into each other's way. One list at a time, in
 * the order they are asked for: each may read the whole dead list, and anybody may ask.
 */
export function deadLetterRoutes(config: () => Config, clock: Clock): readonly Route[] {
  let busy = false;
  let listing: Promise<unknown> = Promise.resolve();

  async function onQueue(use: (queue: OperatorQueue) => Promise<Answer>): Promise<Answer> {
    try {
      return await withOperatorQueue(config(), clock, use);
    } catch (error) {
      if (error instanceof RedisUnavailableError) throw new RequestError(503, error.message);
      if (error instanceof UnusableRedisError) throw new RequestError(507, error.message);
      throw error;
    }
  }

  async function run(kind: 'replay' | 'purge', { body }: AdminRequest): Promise<Answer> {
    const { dry_run: dryRun = false, all = false, ...fields } = readFields<RunFields>(body, RUN_FIELDS);
    const filter = filterOf(fields);
    if (kind === 'purge' && isUnfiltered(filter) && !all) {
      throw new RequestError(
        400,
        'This would delete every dead letter; name a reason, an age or ids, or set all to true.',
      );
    }
    if (busy) throw new RequestError(409, 'Another replay or purge is running; try again when it has finished.');
    busy = true;
    try {
      return await onQueue(async ({ deadLetters }) => ({
        status: 200,
        body: runDocument(await deadLetters[kind]({ filter, dryRun }), dryRun),
      }));
    } finally {
      busy = false;
    }
  }

  return [
    {
      method: 'GET',
      path: '/dead',
      access: 'open',
      answer: ({ query }) => {
        const { limit = DEFAULT_LIMIT, ...fields } = readFields<FilterFields & { limit: number }>(query, LIST_FIELDS);
        const list = () =>
          onQueue(async ({ deadLetters }) => ({
            status: 200,
            body: listDocument(await deadLetters.list(filterOf(fields), limit, summaryOf)),
          }));
        const answer = listing.then(list);
        listing = answer.catch(() => undefined);
        return answer;
      },
    },
    {
      method: 'GET',
      path: '/dead/:letter',
      access: 'admin',
      answer: ({ params }) =>
        onQueue(async ({ deadLetters }) => {
          const entry = await deadLetters.find(params['letter'] ?? '');
          if (!entry) throw new RequestError(404, 'There is no dead letter of this number or key.');
          return { status: 200, body: detailsOf(entry, SHOWN_MESSAGE_BYTES) };
        }),
    },
    { method: 'POST', path: '/dead/replay', access: 'admin', answer: (request) => run('replay', request) },
    { method: 'POST', path: '/dead/purge', access: 'admin', answer: (request) => run('purge', request) },
  ];
}

function filterOf(fields: Partial<Omit<RunFields, 'dry_run' | 'all'>>): DeadLetterFilter {
  const { older_than_seconds: olderThan, newer_than_seconds: newerThan } = fields;
  return {
    ...(fields.reason === undefined ? {} : { reason: fields.reason }),
    ...(fields.ids === undefined ? {} : { ids: fields.ids }),
    ...(olderThan === undefined ? {} : { olderThanMs: olderThan * 1_000 }),
    ...(newerThan === undefined ? {} : { newerThanMs: newerThan * 1_000 }),
  };
}
