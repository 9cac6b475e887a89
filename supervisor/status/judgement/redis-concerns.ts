import { CAUSE } from '../../../src/shared/words/causes.js';
import type { Concern, StatusFacts } from '../status-document.js';
import { mostFrequent, reasonsOf } from './reasons.js';
import { subjectOf } from './who.js';

/** The supervisor looks every 2 s, and workers connect again within as much. */
const LOOK_SECONDS = 2;
/** The log leads to it; after the cause it would be said twice. */
const SAID_ALREADY = /^Cannot connect to Redis at /;

export function redisConcerns({ queue, workers }: StatusFacts): Concern[] {
  const without = workers.filter(({ causes }) => causes.includes('redis'));
  if (queue.redis_up && without.length === 0) return [];
  const isReached = queue.redis_up || workers.some(({ redis_up: up }) => up);
  const why = mostFrequent(reasonsOf(without, 'redis'))?.replace(SAID_ALREADY, '');
  return [
    {
      cause: 'redis',
      text: [
        `${CAUSE.redis}${whose(queue.redis_up, without, workers.length)}`,
        ...(why === undefined ? [] : [why]),
      ].join(': '),
      level: isReached ? 'wrong' : 'stops',
      workers: without.map(({ id }) => id),
      next_look_seconds: LOOK_SECONDS,
      advice: {
        text: isReached
          ? 'Others reach it: look at the way to it. To see what is wrong:'
          : 'Messages wait in Redis, and workers go on by themselves as soon as it answers. To see what is wrong with it:',
        command: 'message-broker-worker check',
      },
    },
  ];
}

function whose(weReachIt: boolean, without: StatusFacts['workers'], total: number): string {
  const { who } = subjectOf(
    without.map(({ id }) => id),
    total,
  );
  if (without.length === 0) return total > 0 ? ' by the supervisor, which cannot see how many messages wait' : '';
  return weReachIt || without.length < total ? ` by ${who}` : ` by the supervisor and ${who}`;
}
