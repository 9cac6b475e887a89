/** The state of the whole in one look. Pure. */
import { span } from '../../../src/shared/words/span.js';
import type { Concern, Headline, StatusFacts } from '../status-document.js';
import { SHRINKS } from './queue-concerns.js';

const MOST_FURTHER = 3;

/** Something is wrong, nothing is, or nothing is and yet more waits than is on its way through. */
export type Subject = Concern['cause'] | 'flowing' | 'catching up';

/** @param since ISO 8601, UTC, of what it is about. */
export function headlineOf(status: StatusFacts, concerns: readonly Concern[], since: string): Headline {
  const [first, ...others] = shown(concerns);
  const rest = { since, further: others.slice(0, MOST_FURTHER), left_out: Math.max(0, others.length - MOST_FURTHER) };
  const state = stateOf(status, concerns);
  if (!first)
    return { ...NOTHING_WRONG, state, text: flowing(status), advice: isShrinking(status) ? SHRINKS : null, ...rest };
  const { cause, text, workers, next_look_seconds, advice } = first;
  return { state, cause, text, workers, next_look_seconds, advice, ...rest };
}

const NOTHING_WRONG = { cause: null, workers: [], next_look_seconds: null } as const;

/** What the headline is about: its beginning is that of the headline. */
export function subjectOfHeadline({ queue }: StatusFacts, concerns: readonly Concern[]): Subject {
  const { trend } = queue.arrivals;
  const isWaiting = trend !== null && trend !== 'none';
  return shown(concerns)[0]?.cause ?? (isWaiting ? 'catching up' : 'flowing');
}

function isShrinking({ queue }: StatusFacts): boolean {
  return queue.waiting !== null && queue.arrivals.caught_up_in_seconds !== null;
}

/** A pause, unless something stops deliveries beside it, is the cause of the word: who, why and until when stand first. */
function shown(concerns: readonly Concern[]): readonly Concern[] {
  const all = concerns.filter(isShown);
  if (all.some(({ level }) => level === 'stops')) return all;
  const isPause = ({ cause }: Concern): boolean => cause === 'paused';
  return [...all.filter(isPause), ...all.filter((concern) => !isPause(concern))];
}

/** A cap that leaves workers without work is as it was set up; what another host does is no trouble of this one. */
function isShown({ cause, level }: Concern): boolean {
  return level !== 'note' || cause === 'rest' || cause === 'host';
}

function stateOf({ queue }: StatusFacts, concerns: readonly Concern[]): Headline['state'] {
  if (concerns.some(({ level }) => level === 'stops')) return 'stopped';
  if (queue.paused !== null) return 'paused';
  return concerns.some(isShown) ? 'degraded' : 'flowing';
}

function flowing({ workers, queue }: StatusFacts): string {
  const taking = workers.filter(({ consuming }) => consuming).length;
  const who =
    workers.length === 1 ? 'the worker takes messages' : `${taking} of ${workers.length} workers take messages`;
  const { waiting, arrivals } = queue;
  if (waiting === null) return `${who}; how many wait is not known yet`;
  const { trend, caught_up_in_seconds: seconds } = arrivals;
  if (seconds !== null) return `${who}; ${waiting} wait, caught up in about ${span(seconds)}`;
  if (trend === 'growing') return `${who}; ${waiting} wait, and more arrive than are delivered`;
  return waiting === 0 ? `${who}; nothing waits` : `${who}; ${waiting} wait`;
}
