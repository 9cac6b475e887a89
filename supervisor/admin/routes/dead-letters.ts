import type { Deed } from '../../../src/domain/audit/deed.js';
import { isUnfiltered } from '../../../src/domain/filter/message-filter.js';
import type { OperatorQueue } from '../../../src/queue/operator-queue.js';
import type { Config } from '../../../src/shared/config/config.js';
import type { Clock } from '../../../src/shared/time/clock.js';
import { detailsOf, listDocument, runDocument, summaryOf } from '../documents/dead-letters.js';
import { flag, readFields, wholeNumber, word, type Fields } from '../fields.js';
import { DEAD_LETTER_FILTER, filterOfFields, IDS } from '../filter-fields.js';
import type {
  DeadLetterDetails,
  DeadLetterList,
  DeadLetterRunAnswer,
  DeadLetterRunFields,
  Requests,
} from '../protocol.js';
import { RequestError, route, type AdminRequest, type Answer, type Route } from '../route.js';
import { answerFromQueue } from './on-queue.js';

const RUN_FIELDS: Fields<DeadLetterRunFields> = { ...DEAD_LETTER_FILTER, ...IDS, dry_run: flag, all: flag };
const LIST_FIELDS: Fields<Requests['deadLetters']> = {
  ...DEAD_LETTER_FILTER,
  limit: wholeNumber(1, 1_000),
  cursor: word,
};
const DEFAULT_LIMIT = 50;
/** A list that is not complete by then is answered as far as it is, with where to go on. */
const LIST_MS = 100;
/** A page of a browser needs no more; `dead show` prints the whole. */
const SHOWN_MESSAGE_BYTES = 65_536;

interface DeadLetterRoutesOptions {
  readonly config: () => Config;
  readonly clock: Clock;
  readonly audit: { note(deed: Deed): Promise<void> };
}

export function deadLetterRoutes(options: DeadLetterRoutesOptions): readonly Route[] {
  const letters = new LettersOverHttp(options);
  return [
    route('deadLetters', (request) => letters.list(request)),
    route('deadLetter', ({ params }) => letters.find(params.letter)),
    route('replay', (request) => letters.run('replay', request)),
    route('purge', (request) => letters.run('purge', request)),
  ];
}

/**
 * One replay or purge at a time: two would only get into each other's way. A list that nobody waits for any more is not
 * made, or ends at its next step.
 */
class LettersOverHttp {
  readonly #options: DeadLetterRoutesOptions;
  #isRunning = false;

  constructor(options: DeadLetterRoutesOptions) {
    this.#options = options;
  }

  async list({ fields, isAbandoned }: AdminRequest): Promise<Answer<DeadLetterList>> {
    const { limit = DEFAULT_LIMIT, cursor, ...which } = readFields<Requests['deadLetters']>(fields, LIST_FIELDS);
    const query = {
      filter: filterOfFields(which),
      limit,
      budgetMs: LIST_MS,
      isAbandoned,
      ...(cursor === undefined ? {} : { after: cursor }),
    };
    return this.#onQueue(async ({ deadLetters }) => listDocument(await deadLetters.list(query, summaryOf)));
  }

  find(letter: string): Promise<Answer<DeadLetterDetails>> {
    return this.#onQueue(async ({ deadLetters }) => {
      const entry = await deadLetters.find(letter, { whole: false });
      if (!entry) throw new RequestError(404, 'There is no dead letter of this number, key or message id.');
      return detailsOf(entry, SHOWN_MESSAGE_BYTES);
    });
  }

  async run(kind: 'replay' | 'purge', { fields, by }: AdminRequest): Promise<Answer<DeadLetterRunAnswer>> {
    const { dry_run: dryRun = false, all = false, ...which } = readFields<DeadLetterRunFields>(fields, RUN_FIELDS);
    const filter = filterOfFields(which);
    if (isUnfiltered(filter) && !all && !(dryRun && kind === 'replay')) {
      throw new RequestError(
        400,
        `This would ${kind === 'purge' ? 'delete every dead letter' : 'deliver every dead letter again'}; ` +
          'name a reason, a client, a domain, an age, a text or ids, or set all to true.',
      );
    }
    if (this.#isRunning) {
      throw new RequestError(409, 'Another replay or purge is running; try again when it has finished.');
    }
    this.#isRunning = true;
    try {
      const { audit } = this.#options;
      // it may be killed midway
      if (!dryRun) void audit.note({ ...by, action: kind, filter: which, detail: 'begins' });
      const answer = await this.#onQueue(async ({ deadLetters }) =>
        runDocument(await deadLetters[kind]({ filter, dryRun }), dryRun),
      );
      if (!dryRun) await audit.note({ ...by, action: kind, filter: which, count: answer.body.done });
      return answer;
    } finally {
      this.#isRunning = false;
    }
  }

  #onQueue<Body>(use: (queue: OperatorQueue) => Promise<Body>): Promise<Answer<Body>> {
    const { config, clock } = this.#options;
    return answerFromQueue(config(), clock, use);
  }
}
