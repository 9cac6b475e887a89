import { certificateExpired, mainServerProblem } from '../../../src/shared/words/causes.js';
import type { Advice, Concern, StatusFacts } from '../status-document.js';
import { mostFrequent, reasonsOf } from './reasons.js';
import { subjectOf } from './who.js';

const GO_ON = 'Messages wait in Redis and spend no attempts, and workers go on by themselves.';

export function mainServerConcerns(status: StatusFacts): Concern[] {
  const beating = status.workers.filter(({ breaker }) => breaker !== null);
  const cut = beating.filter(({ breaker }) => breaker !== 'closed');
  const level = cut.length > 0 && cut.length === beating.length ? 'stops' : 'wrong';
  return [
    ...certificateConcerns(status, level),
    ...(cut.length === 0 ? [] : [cutOff(cut, level, status.workers.length)]),
    ...routeConcerns(status),
    ...restConcerns(status),
  ];
}

function cutOff(cut: StatusFacts['workers'], level: Concern['level'], total: number): Concern {
  const reason = mostFrequent(cut.map(({ breaker_reason: why }) => why)) ?? undefined;
  const ids = cut.map(({ id }) => id);
  const { who, isPlural } = subjectOf(ids, total);
  return {
    cause: 'main_server',
    text: `the ${mainServerProblem(reason)}: ${who} ${isPlural ? 'have' : 'has'} paused claiming`,
    level,
    workers: ids,
    next_look_seconds: soonest(cut),
    advice: adviceFor(reason),
  };
}

function adviceFor(reason: string | undefined): Advice {
  const command = 'message-broker-worker check';
  if (reason?.startsWith('http_')) {
    return { text: `It runs, and takes nothing now: look at its log. ${GO_ON}`, command: null };
  }
  if (reason === 'tls') return { text: `It and our certificates do not fit together. ${GO_ON} To see why:`, command };
  if (reason === 'timeout')
    return { text: `It does not answer in time: look at its load. ${GO_ON} To ask it:`, command };
  return { text: `Start it, or mend the way to it. ${GO_ON} To see what is wrong with it:`, command };
}

/** On the wire it is only a reset connection, so it is named by its own date. */
function certificateConcerns({ certificates }: StatusFacts, level: Concern['level']): Concern[] {
  return certificates
    .filter(({ expired }) => expired)
    .map(({ file, not_after: notAfter }) => ({
      cause: 'certificate',
      text: certificateExpired('the certificate', file, Date.parse(notAfter)),
      level,
      workers: [],
      next_look_seconds: null,
      advice: { text: 'Renew it; it is in use within 20 s, and at once by:', command: 'message-broker-worker reload' },
    }));
}

function routeConcerns({ workers }: StatusFacts): Concern[] {
  const found = workers.filter(({ causes }) => causes.includes('no_route'));
  const text = mostFrequent(reasonsOf(found, 'no_route'));
  if (text === undefined) return [];
  return [
    {
      cause: 'no_route',
      text,
      level: workers.some(({ consuming }) => consuming) ? 'wrong' : 'stops',
      workers: found.map(({ id }) => id),
      next_look_seconds: null,
      advice: { text: 'Put it right, then:', command: 'message-broker-worker reload' },
    },
  ];
}

function restConcerns({ workers }: StatusFacts): Concern[] {
  const resting = workers.filter(({ held_by: by, breaker }) => by === 'retry_after' && breaker === 'closed');
  if (resting.length === 0) return [];
  const ids = resting.map(({ id }) => id);
  const { who, isPlural } = subjectOf(ids, workers.length);
  return [
    {
      cause: 'rest',
      text: `the main server asks for rest (Retry-After): ${who} ${isPlural ? 'claim' : 'claims'} nothing until it is over`,
      level: 'note',
      workers: ids,
      next_look_seconds: soonest(resting),
      advice: {
        text: 'Nothing: workers go on by themselves. If it lasts, look at the load of the main server.',
        command: null,
      },
    },
  ];
}

function soonest(workers: StatusFacts['workers']): number | null {
  const known = workers.map(({ next_look_seconds: seconds }) => seconds).filter((seconds) => seconds !== null);
  return known.length === 0 ? null : Math.min(...known);
}
