import { HISTORY_UNITS } from '../../../src/domain/history/book.js';
import type { Config } from '../../../src/shared/config/config.js';
import type { Clock } from '../../../src/shared/time/clock.js';
import { oneOf, readFields, wholeNumber } from '../fields.js';
import { DEFAULT_DAYS, readHistoryDocument, mostDays, unitFor } from '../documents/history.js';
import type { Requests } from '../protocol.js';
import { RequestError, route, type Route } from '../route.js';
import { answerFromQueue } from './on-queue.js';

/** It tells numbers, and nothing of what is in messages. */
export function historyRoute(config: () => Config, clock: Clock): Route {
  return route('history', ({ fields }) => {
    const { days = DEFAULT_DAYS, by = unitFor(days) } = readFields<Requests['history']>(fields, {
      days: wholeNumber(1, mostDays('day')),
      by: oneOf(HISTORY_UNITS),
    });
    if (days > mostDays(by)) {
      throw new RequestError(400, `By ${by} the history goes back ${mostDays(by)} days; ask for it by hour or by day.`);
    }
    const { queue } = config();
    return answerFromQueue(config(), clock, (operator) => readHistoryDocument(operator, { days, by }, queue.name));
  });
}
