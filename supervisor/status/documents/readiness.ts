import { CAUSE } from '../../../src/shared/words/causes.js';
import type { ReadinessDocument, StatusDocument, WorkerStatus } from '../status-document.js';
import { expiredCertificates, failingDuties, troublesOf } from './troubles.js';

/** 200 only while somebody consumes, Redis answers and the breaker is not open everywhere. */
export function readinessOf(status: StatusDocument): { readonly status: number; readonly body: ReadinessDocument } {
  const reasons = whyNotReady(status);
  const warnings = [...troublesOf(status), ...heldWorkers(status)].filter((trouble) => !reasons.includes(trouble));
  const ready = reasons.length === 0;
  return { status: ready ? 200 : 503, body: { ready, reasons, warnings, paused: status.queue.paused } };
}

/** Nothing is wrong with them, so nothing but this tells of it. */
function heldWorkers({ workers, queue }: StatusDocument): string[] {
  // a rate holds nothing up, and a pause that we see ourselves is said once for all
  const silent: readonly WorkerStatus['held_by'][] = [
    null,
    'rate',
    ...(queue.paused === null ? [] : ['paused' as const]),
  ];
  const held = workers.filter(({ state, held_by: by }) => state === 'ready' && !silent.includes(by));
  return held.map(({ id, reasons }) => `${id} claims nothing: ${reasons.join(', ')}`);
}

function whyNotReady(status: StatusDocument): string[] {
  const { supervisor, workers, queue } = status;
  const reasons: string[] = [];
  if (supervisor.state === 'stopping') reasons.push('the supervisor is stopping');
  // The workers' word counts too: they have connections of their own.
  if (!queue.redis_up && !workers.some((worker) => worker.redis_up)) reasons.push(CAUSE.redis);
  const beating = workers.filter((worker) => worker.breaker !== null);
  if (beating.length > 0 && beating.every((worker) => worker.breaker === 'open')) {
    reasons.push(`the circuit breaker is open in every worker: the ${CAUSE.mainServer}`);
    reasons.push(...expiredCertificates(status));
  }
  // one that works does the same for all
  if (beating.length > 0 && beating.every(({ failing_duties: duties }) => duties.some(({ stops }) => stops))) {
    reasons.push(...failingDuties(beating, { onlyStopping: true }));
  }
  if (!workers.some((worker) => worker.consuming)) {
    reasons.push('no worker takes messages');
    for (const { id, state, reasons: why } of workers) reasons.push([`${id} is ${state}`, ...why].join(': '));
  }
  return reasons;
}
