/** Failed attempts as routes and commands show them. */
import type { FailedAttempt } from '../../../src/domain/failures/failed-attempt.js';
import { hourBegin } from '../../../src/domain/failures/hours.js';
import {
  summariesOf,
  type FailureFilter,
  type FailureSide,
  type FailureSummary,
} from '../../../src/domain/failures/failure-summary.js';
import type { OperatorQueue } from '../../../src/queue/operator-queue.js';
import type { FailureDocument, FailureGroupDocument, FailuresDocument } from '../protocol.js';

export function failureDocument({ at, reason, status, answer, workerId }: FailedAttempt): FailureDocument {
  return { at, reason, status: status ?? null, answer: answer ?? null, worker_id: workerId };
}

interface FailuresQuery {
  readonly by: FailureSide;
  /** Milliseconds since the Unix epoch. */
  readonly since: number;
  readonly now: number;
  readonly filter: FailureFilter;
}

export async function failuresDocument(
  queue: Pick<OperatorQueue, 'failureCounts'>,
  { by, since, now, filter }: FailuresQuery,
): Promise<FailuresDocument> {
  const { attempts, groups, other } = summariesOf(await queue.failureCounts({ since, now }), by, filter);
  return {
    schema_version: 1,
    since: new Date(hourBegin(since, now)).toISOString(),
    by,
    attempts,
    groups: groups.map(groupDocument),
    other_attempts: other,
  };
}

function groupDocument({ name, first, last, messageId, ...same }: FailureSummary): FailureGroupDocument {
  const { attempts, reasons, clients, domains } = same;
  return {
    name: name ?? null,
    attempts,
    first_at: new Date(first).toISOString(),
    last_at: new Date(last).toISOString(),
    example_message_id: messageId,
    ...{ reasons, clients, domains },
  };
}
