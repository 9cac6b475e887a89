import { printable } from './escape.js';

/** Of a pause, what an operator wants to know. */
export interface PausedBy {
  /** Texts from outside; empty = not said. */
  readonly who: string;
  readonly where: string;
  readonly why: string;
  /** Its end by the clock of Redis, ms since the Unix epoch; undefined = when somebody ends it. */
  readonly untilMs: number | undefined;
}

const TEXT_LENGTH = 300;

/** For a list of reasons: without a capital letter and a full stop. */
export function pausedBy({ who, where, why, untilMs }: PausedBy): string {
  const by = who === '' ? 'unknown' : printable(who, TEXT_LENGTH);
  const at = where === '' ? '' : ` on ${printable(where, TEXT_LENGTH)}`;
  const until = untilMs === undefined ? 'until somebody ends it' : `until ${isoOf(untilMs)}`;
  return `deliveries are paused by ${by}${at} ${until}${why === '' ? '' : `: ${printable(why, TEXT_LENGTH)}`}`;
}

/** In UTC, to the second: Redis counts the end down, and each look finds it a millisecond elsewhere. */
export function isoOf(ms: number): string {
  return new Date(Math.round(ms / 1_000) * 1_000).toISOString().replace('.000Z', 'Z');
}

/** What a pause does not reach, whoever began it. `where` = from where they are connected, if that is said. */
export function deliverOn(plainPoppers: number, where = ''): string {
  const isOne = plainPoppers === 1;
  const wait = `${plainPoppers} ${isOne ? 'client of Redis waits' : 'clients of Redis wait'} in a plain BRPOP`;
  const are = isOne ? 'it is a Python worker' : 'they are Python workers';
  return `${wait}${where === '' ? '' : ` (${where})`}. If ${are} of this queue, deliveries go on there: those know no pause.`;
}
