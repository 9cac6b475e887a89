import { FAILURE_SIDES } from '../../../src/domain/failures/failure-summary.js';
import { parseMoment } from '../../../src/domain/filter/moment.js';
import { withOperatorQueue } from '../../../src/queue/operator-queue.js';
import type { Config } from '../../../src/shared/config/config.js';
import { RedisUnavailableError } from '../../../src/shared/errors.js';
import type { Clock } from '../../../src/shared/time/clock.js';
import { failuresDocument } from '../documents/failures.js';
import { oneOf, readFields, seconds, word, type Fields } from '../fields.js';
import { moment } from '../filter-fields.js';
import type { FailureFields, FailuresDocument } from '../protocol.js';
import { RequestError, route, type AdminRequest, type Answer, type Route } from '../route.js';

const FIELDS: Fields<FailureFields> = {
  by: oneOf(FAILURE_SIDES),
  since: moment,
  newer_than_seconds: seconds,
  reason: word,
  client: word,
  domain: word,
};
const DEFAULT_SECONDS = 3_600;

export function failureRoutes(config: () => Config, clock: Clock): readonly Route[] {
  return [route('failures', ({ fields }) => failures(config(), clock, fields))];
}

async function failures(
  config: Config,
  clock: Clock,
  given: AdminRequest['fields'],
): Promise<Answer<FailuresDocument>> {
  const { by = 'reason', since, newer_than_seconds: age, ...filter } = readFields<FailureFields>(given, FIELDS);
  const now = clock.wallNow();
  const bySince = since === undefined ? -Infinity : (parseMoment(since) ?? -Infinity);
  const byAge = age === undefined && since !== undefined ? -Infinity : now - (age ?? DEFAULT_SECONDS) * 1_000;
  const query = { by, since: Math.max(bySince, byAge), now, filter };
  try {
    return { status: 200, body: await withOperatorQueue(config, clock, (queue) => failuresDocument(queue, query)) };
  } catch (error) {
    if (error instanceof RedisUnavailableError) throw new RequestError(503, error.message);
    throw error;
  }
}
