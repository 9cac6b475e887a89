/**
 * What arrives, and whether the workers of all hosts keep up with it, made of looks at the queue two seconds apart. Pure.
 *
 * Over the last 20 s: a shorter time jumps with each batch of a producer, a longer one would still tell of an outage that is
 * over.
 */
import type { ArrivalsStatus } from './status-document.js';

/** By Redis's clock, ms since the Unix epoch. */
interface Look {
  readonly at: number;
  /** Messages since the history began. */
  readonly arrived: number;
  readonly waiting: number;
}

const WINDOW_MS = 20_000;
/** Less says nothing yet. */
const LEAST_MS = 3_500;
/** So few, or what arrives in so many seconds, wait anyway on their way through. */
const NO_BACKLOG = { messages: 20, seconds: 2 };
/** What changes by less, in messages or as a part of the backlog, neither grows nor shrinks. */
const LEVEL = { messages: 10, part: 0.005 };

export const NO_ARRIVALS: ArrivalsStatus = {
  arrived: null,
  arrived_per_second: null,
  trend: null,
  caught_up_in_seconds: null,
};

export class ArrivalsMeter {
  readonly #looks: Look[] = [];
  #lookedAt = -Infinity;

  /** @param now monotonic ms. */
  look({ at, arrived, waiting }: Look, now: number): void {
    this.#lookedAt = now;
    const last = this.#looks.at(-1);
    // Redis was emptied, or its clock set back, or nobody has looked for a while
    if (last && (arrived < last.arrived || at <= last.at || at - last.at > WINDOW_MS)) this.#looks.length = 0;
    this.#looks.push({ at, arrived, waiting });
    while (this.#looks[0] && at - this.#looks[0].at > WINDOW_MS) this.#looks.shift();
  }

  /** What follows is of another queue. */
  forget(): void {
    this.#looks.length = 0;
  }

  /** @param now monotonic ms: what was seen long ago says nothing of it. */
  arrivalsAt(now: number): ArrivalsStatus {
    const [first, last] = [this.#looks[0], this.#looks.at(-1)];
    if (!first || !last || now - this.#lookedAt > WINDOW_MS / 2) return NO_ARRIVALS;
    const known = { ...NO_ARRIVALS, arrived: last.arrived };
    const seconds = (last.at - first.at) / 1_000;
    if (seconds * 1_000 < LEAST_MS) return known;
    const perSecond = (last.arrived - first.arrived) / seconds;
    return {
      ...known,
      arrived_per_second: Math.round(perSecond * 100) / 100,
      ...trendOf(last.waiting, last.waiting - first.waiting, { perSecond, seconds }),
    };
  }
}

/** @param grown by how many in the time looked at. */
function trendOf(
  waiting: number,
  grown: number,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Pick<ArrivalsStatus, 'trend' | 'caught_up_in_seconds'> {
  if (waiting <= NO_BACKLOG.messages || waiting <= perSecond * NO_BACKLOG.seconds) {
    return { trend: 'none', caught_up_in_seconds: null };
  }
  if (Math.abs(grown) < Math.max(LEVEL.messages, waiting * LEVEL.part)) {
    return { trend: 'level', caught_up_in_seconds: null };
  }
  if (grown > 0) return { trend: 'growing', caught_up_in_seconds: null };
  return { trend: 'shrinking', caught_up_in_seconds: Math.ceil((waiting * seconds) / -grown) };
}
