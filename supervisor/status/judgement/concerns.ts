/**
 * What is wrong on this host, each cause once. /ready, /health, the headline of /status, the page, the terminal and the doctor
 * are all made of it. Pure.
 */
import { CAUSES, type Concern, type StatusFacts } from '../status-document.js';
import { fleetConcerns } from './fleet-concerns.js';
import { mainServerConcerns } from './main-server-concerns.js';
import { queueConcerns } from './queue-concerns.js';
import { redisConcerns } from './redis-concerns.js';
import { supervisorConcerns } from './supervisor-concerns.js';
import { subjectOf } from './who.js';
import { workerConcerns } from './worker-concerns.js';

const LEVELS = ['stops', 'wrong', 'note'] as const;

/** The worst first; of equal ones what is nearer to the root. */
export function concernsOf(status: StatusFacts): readonly Concern[] {
  const roots = [
    ...supervisorConcerns(status),
    ...redisConcerns(status),
    ...mainServerConcerns(status),
    ...workerConcerns(status),
  ];
  const all = [...roots, ...queueConcerns(status, roots), ...fleetConcerns(status)];
  const judged = [...all, ...unexplained(status, all)].map((concern) => besidePause(concern, status));
  return judged.sort((one, next) => rank(one) - rank(next));
}

/** Who pauses all deliveries while the main server is mended is not to be woken by a /ready of 503. */
function besidePause(concern: Concern, { queue }: StatusFacts): Concern {
  const isAway = concern.cause === 'main_server' || concern.cause === 'certificate';
  return isAway && concern.level === 'stops' && queue.paused !== null ? { ...concern, level: 'wrong' } : concern;
}

/** Workers that take nothing, of whom nothing else tells. */
function unexplained({ workers }: StatusFacts, concerns: readonly Concern[]): Concern[] {
  if (workers.some(({ consuming }) => consuming)) return [];
  const explained = new Set(concerns.filter(({ level }) => level === 'stops').flatMap((concern) => concern.workers));
  const left = workers.filter(({ id }) => !explained.has(id));
  if (left.length === 0 && workers.length > 0) return [];
  const states = [...new Set(left.map(({ state }) => state))].map((state) => {
    const ids = left.filter((worker) => worker.state === state).map(({ id }) => id);
    const { who, isPlural } = subjectOf(ids, workers.length);
    return `${who} ${isPlural ? 'are' : 'is'} ${state}`;
  });
  const isStarting = left.every(({ state }) => state === 'starting');
  return [
    {
      cause: isStarting && left.length > 0 ? 'starting' : 'stuck',
      text: ['no worker takes messages', ...(states.length === 0 ? [] : [states.join(', ')])].join(': '),
      level: 'stops',
      workers: left.map(({ id }) => id),
      next_look_seconds: null,
      advice: null,
    },
  ];
}

function rank({ level, cause }: Concern): number {
  return LEVELS.indexOf(level) * CAUSES.length + CAUSES.indexOf(cause);
}
