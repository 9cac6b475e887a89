import { BACKLOG_MESSAGES, backlogOf, CAUSE } from '../../../src/shared/words/causes.js';
import { pausedBy } from '../../../src/shared/words/paused.js';
import { span } from '../../../src/shared/words/span.js';
import type { Advice, Cause, Concern, PausedStatus, StatusFacts } from '../status-document.js';
import { failingConcerns } from './failing-concerns.js';

/** The only maxmemory-policy under which Redis cannot delete the queue to make room. */
export const NO_EVICTION = 'noeviction';

/** What keeps messages from leaving; that more and more wait is then its consequence. */
const OUTAGES: ReadonlySet<Cause> = new Set([
  'redis',
  'certificate',
  'main_server',
  'no_route',
  'paused',
  'rest',
  'stuck',
]);

export const SHRINKS: Advice = { text: 'Nothing has to be done: it shrinks.', command: null };

const OF_ALL = { level: 'wrong', workers: [], next_look_seconds: null } as const;

/** What is wrong with the queue and with what is taken from it. @param roots what may be the reason for it. */
export function queueConcerns(status: StatusFacts, roots: readonly Concern[]): Concern[] {
  const { queue } = status;
  const policy = queue.eviction_policy ?? NO_EVICTION;
  const paused = queue.paused === null ? [] : [pauseConcern(queue.paused)];
  const hasOutage = [...roots, ...paused].some(({ cause }) => OUTAGES.has(cause));
  // the attempts that opened the breaker tell nothing new
  const isCutOff = roots.some(({ cause, level }) => cause === 'main_server' && level === 'stops');
  return [
    ...paused,
    ...(isCutOff ? [] : failingConcerns(status)),
    ...(policy === NO_EVICTION ? [] : [evictionConcern(policy)]),
    ...backlogConcerns(status, hasOutage),
  ];
}

function pauseConcern(paused: PausedStatus): Concern {
  const advice = { text: 'To have deliveries go on before:', command: 'message-broker-worker resume' };
  return { ...OF_ALL, cause: 'paused', text: pauseOf(paused), advice };
}

export function pauseOf({ until, ...said }: PausedStatus): string {
  return pausedBy({ ...said, untilMs: until === null ? undefined : Date.parse(until) });
}

function evictionConcern(policy: string): Concern {
  return {
    ...OF_ALL,
    cause: 'eviction',
    text: `Redis has maxmemory-policy ${policy}, which can delete the queue`,
    advice: {
      text: 'Set it in redis.conf, and now:',
      command: 'redis-cli config set maxmemory-policy noeviction',
    },
  };
}

function backlogConcerns({ queue, workers }: StatusFacts, hasOutage: boolean): Concern[] {
  const { waiting, arrivals } = queue;
  if (waiting === null || waiting <= BACKLOG_MESSAGES) return [];
  const { trend, caught_up_in_seconds: seconds } = arrivals;
  const shrinks = seconds !== null && `${CAUSE.backlog}: ${waiting} messages wait, caught up in about ${span(seconds)}`;
  const text = shrinks || `${backlogOf(waiting)}${trend === 'growing' ? '; it grows' : ''}`;
  const advice = backlogAdvice({ hasOutage, isShrinking: seconds !== null, limitedBy: limitOf(workers) });
  return [{ ...OF_ALL, cause: 'backlog', text, advice }];
}

/** What holds most workers. */
function limitOf(workers: StatusFacts['workers']): string | null {
  const counts = new Map<string | null, number>();
  for (const { limited_by: by } of workers) counts.set(by, (counts.get(by) ?? 0) + 1);
  return [...counts].sort(([, one], [, next]) => next - one)[0]?.[0] ?? null;
}

interface BacklogFacts {
  readonly hasOutage: boolean;
  readonly isShrinking: boolean;
  readonly limitedBy: string | null;
}

function backlogAdvice({ hasOutage, isShrinking, limitedBy }: BacklogFacts): Advice {
  if (hasOutage) return { text: 'Nothing for itself: it is worked off once messages flow again.', command: null };
  if (isShrinking) return SHRINKS;
  if (limitedBy === 'server') {
    return { text: 'The main server bears no more at once: look at what makes it slow.', command: null };
  }
  if (limitedBy === 'fleet_cap')
    return { text: 'MAIN_SERVER_MAX_IN_FLIGHT holds the workers: raise it.', command: null };
  if (limitedBy === 'rate') return { text: 'MAIN_SERVER_MAX_RATE holds the workers: raise it.', command: null };
  return {
    text: 'If the main server bears more, raise WORKER_CONCURRENCY, or add workers; it tells how many:',
    command: 'message-broker-worker check --capacity',
  };
}
