/** The queue and the rates as facts that stand side by side, the most urgent first. Pure. */
import { whyUncounted } from '../../status/documents/status-lines.js';
import type { StatusDocument } from '../../status/status-document.js';
import { duration } from '../kit/duration.js';
import { line, type Line } from './drawing/line.js';

const TRENDS = { none: '', shrinking: '', level: 'as much arrives as leaves', growing: 'what waits grows' } as const;

/** Where the messages are. */
export function places({ queue, workers }: StatusDocument): Line[] {
  const { waiting, retrying, dead, oldest_wait_seconds: oldestWait, retry_due_in_seconds: dueIn } = queue;
  if (waiting === null) return [line('waiting, retrying and dead: unknown, ', whyUncounted(queue))];
  const oldest = oldestWait ? `, the oldest for ${duration(oldestWait)}` : '';
  return [
    line(`${waiting} waiting${oldest}`),
    line(`${inFlight(queue, workers)} in flight`),
    line(`${retrying ?? 'unknown'} retrying${dueIn === null ? '' : `, next in ${duration(dueIn)}`}`),
    line((dead ?? 0) > 0 ? { text: `${dead} dead`, tone: 'warning' } : `${dead ?? 'unknown'} dead`),
  ];
}

/** Of so many that the workers here may have. */
function inFlight({ processing }: StatusDocument['queue'], workers: StatusDocument['workers']): string {
  const most = workers.reduce((sum, { concurrency_limit: limit }) => sum + (limit ?? 0), 0);
  return most === 0 ? `${processing ?? 'unknown'}` : `${processing ?? 'unknown'} of ${most}`;
}

/** What comes and goes. */
export function rates({ queue, traffic }: StatusDocument): Line[] {
  const { arrived_per_second: arriving, trend, caught_up_in_seconds: caughtUpIn } = queue.arrivals;
  const attempts = traffic.delivered + traffic.failed;
  const share = attempts === 0 ? [] : [line(`${percent(traffic.delivered / attempts)} of attempts succeed`)];
  const outlook = caughtUpIn === null ? TRENDS[trend ?? 'none'] : `caught up in about ${duration(caughtUpIn)}`;
  return [
    line(`arriving ${arriving === null ? 'unknown' : `${arriving.toFixed(1)}/s`}`),
    line(`delivered ${traffic.delivered_per_second.toFixed(1)}/s`),
    failing(traffic.failed_per_second),
    ...share,
    ...slowness(traffic),
    ...(outlook === '' ? [] : [line({ text: outlook, tone: trend === 'growing' ? 'warning' : 'strong' })]),
  ];
}

/** Whether the main server is slow. */
function slowness({ delivery_seconds: delivery }: StatusDocument['traffic']): Line[] {
  return delivery === null ? [] : [line(`95 % of attempts take up to ${shortly(delivery.p95)}`)];
}

/** What `duration` would call 0s. */
function shortly(seconds: number): string {
  return seconds < 1 ? `${Math.ceil(seconds * 1_000)} ms` : `${seconds.toFixed(1)} s`;
}

function failing(perSecond: number): Line {
  const text = `failed ${perSecond.toFixed(1)}/s`;
  return line(perSecond > 0 ? { text, tone: 'warning' } : text);
}

/** 100 % only when none failed, 0 % only when none was delivered. */
function percent(share: number): string {
  if (share === 0 || share === 1) return `${share * 100} %`;
  return `${Math.min(99.9, Math.max(0.1, share * 100)).toFixed(1)} %`;
}
