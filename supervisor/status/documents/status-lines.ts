import { CAUSE } from '../../../src/shared/words/causes.js';
import { pauseOf } from '../judgement/queue-concerns.js';
import type { StatusDocument, WorkerStatus } from '../status-document.js';

/** The status as log lines, for SIGUSR2. */
export function statusLines({ supervisor, workers, queue }: StatusDocument): string[] {
  const ready = workers.filter(({ state }) => state === 'ready').length;
  return [
    `Status: supervisor ${supervisor.state} for ${Math.round(supervisor.uptime_seconds)} s, ${ready} of ${supervisor.workers_wanted} workers ready`,
    ...supervisor.reasons.map((reason) => `Status: ${reason}`),
    ...supervisor.failing_duties.map(({ text }) => `Status: ${text}`),
    queue.waiting === null
      ? `Status: queue ${queue.name} unknown, ${whyUncounted(queue)}`
      : `Status: queue ${queue.name} has ${queue.waiting} waiting, ${queue.processing} processing, ${queue.retrying} retrying, ${queue.dead} dead`,
    ...(queue.paused === null ? [] : [`Status: ${pauseOf(queue.paused)}`]),
    ...workers.map(workerLine),
  ];
}

/** Why what the queue holds is not known; where Redis refuses to count, the duty that fails says so. */
export function whyUncounted({ redis_up: isUp }: Pick<StatusDocument['queue'], 'redis_up'>): string {
  return isUp ? 'not counted' : CAUSE.redis;
}

function workerLine(worker: WorkerStatus): string {
  const facts = [
    worker.pid === null ? 'no process' : `pid ${worker.pid}`,
    worker.state,
    `${worker.processing} in flight`,
    `${worker.delivered} delivered`,
    `${worker.failed} failed`,
    `${worker.restarts} restarts`,
    ...(worker.memory_bytes === null ? [] : [`${Math.round(worker.memory_bytes / 1024 / 1024)} MiB`]),
    ...(worker.cpu_percent === null ? [] : [`CPU ${Math.round(worker.cpu_percent)} %`]),
    ...worker.reasons,
  ];
  return `Status: ${worker.id}: ${facts.join(', ')}`;
}
