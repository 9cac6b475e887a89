/** What is wrong, in the operator's sentences. Pure. */
import { BACKLOG_MESSAGES, backlogOf, CAUSE, certificateExpired } from '../../../src/shared/words/causes.js';
import { pausedBy } from '../../../src/shared/words/paused.js';
import { failingAttempts } from './failing-attempts.js';
import type { PausedStatus, StatusDocument } from '../status-document.js';

/** The only maxmemory-policy under which Redis cannot delete the queue to make room. */
export const NO_EVICTION = 'noeviction';

/** What is wrong with the whole first, with single workers then. */
export function troublesOf(status: StatusDocument): string[] {
  const { supervisor, queue } = status;
  const waiting = queue.waiting ?? 0;
  const policy = queue.eviction_policy ?? NO_EVICTION;
  return [
    ...supervisor.reasons,
    ...(queue.redis_up ? [] : [CAUSE.redis]),
    ...expiredCertificates(status),
    ...(policy === NO_EVICTION ? [] : [`Redis has maxmemory-policy ${policy}, which can delete the queue`]),
    ...(queue.paused === null ? [] : [pauseOf(queue.paused)]),
    ...(waiting > BACKLOG_MESSAGES ? [backlogOf(waiting)] : []),
    ...failingAttempts(status),
    ...troubledWorkers(status),
    ...failingDuties(status.workers),
  ];
}

export function pauseOf({ until, ...said }: PausedStatus): string {
  return pausedBy({ ...said, untilMs: until === null ? undefined : Date.parse(until) });
}

export function failingDuties(
  workers: StatusDocument['workers'],
  which: { readonly onlyStopping?: true } = {},
): string[] {
  return workers.flatMap(({ id, failing_duties: duties }) =>
    duties.filter(({ stops }) => stops || !which.onlyStopping).map(({ text }) => `${id}: ${text}`),
  );
}

export function expiredCertificates({ certificates }: StatusDocument): string[] {
  return certificates
    .filter(({ expired }) => expired)
    .map(
      ({ file, not_after: notAfter }) =>
        `${certificateExpired('the certificate', file, Date.parse(notAfter))}; renew it and reload`,
    );
}

function troubledWorkers({ workers }: StatusDocument): string[] {
  return (
    workers
      // a start after a crash is trouble until it succeeds; the first one is not
      .filter(
        ({ state, reasons }) =>
          state === 'degraded' || state === 'backoff' || (state === 'starting' && reasons.length > 0),
      )
      .map(({ id, state, reasons }) => [`${id} is ${state}`, ...reasons].join(': '))
  );
}
