/** What happened, as it is drawn into the plots and told below them. Pure. */
import type { HistoryDocument, HistoryMark, HistorySpan } from '../../../admin/protocol.js';
import { knownSince } from './past.js';

/** A time that the plots are shaded for; ms since the Unix epoch. */
export interface Band {
  readonly kind: 'outage' | 'pause' | 'unknown';
  readonly from: number;
  readonly until: number;
}

/** A moment. */
export interface Stroke {
  readonly at: number;
  /** Stands at its top: colour alone says nothing to many. */
  readonly letter: string;
}

interface Happening {
  readonly from: number;
  /** undefined = a moment; Infinity = it goes on. */
  readonly until: number | undefined;
  readonly what: string;
  readonly text: string;
}

export interface Marks {
  readonly bands: readonly Band[];
  readonly strokes: readonly Stroke[];
  /** The newest first. */
  readonly happenings: readonly Happening[];
}

const WORDS: Readonly<Record<HistoryMark['kind'], { readonly letter: string; readonly what: string }>> = {
  reload: { letter: 'R', what: 'Reload' },
  restart: { letter: 'W', what: 'Worker restarted' },
  scale: { letter: 'N', what: 'Number of workers' },
  stop: { letter: 'S', what: 'Supervisor stopped' },
  pause: { letter: 'P', what: 'Paused' },
  resume: { letter: 'G', what: 'Resumed' },
};
export const LETTERS = Object.values(WORDS).map(({ letter, what }) => `${letter} ${what.toLowerCase()}`);

const NOBODY_LOOKED = 'nobody looked: Redis was away or took no writes, or no supervisor ran';
const STOOD_STILL = 'the workers of at least one host could deliver nothing';

export const NO_MARKS: Marks = { bands: [], strokes: [], happenings: [] };

/** @param since ms since the Unix epoch: what ended before it is left out. */
export function marksIn(history: HistoryDocument, since: number): Marks {
  const now = Date.parse(history.at);
  const marks = (history.marks ?? []).filter((mark) => endOf(mark, now) >= since);
  const begun = Math.min(knownSince(history), now);
  const before = begun > since ? [{ kind: 'unknown', from: since, until: begun } as const] : [];
  const lasting = [
    ...before,
    ...history.gaps.map((span) => bandOf('unknown', span)),
    ...history.outages.map((span) => bandOf('outage', span)),
  ].filter(({ until }) => until >= since);
  const pauses = marks
    .filter(({ kind }) => kind === 'pause')
    .map((mark): Band => ({ kind: 'pause', from: Date.parse(mark.at), until: endOf(mark, now) }));
  const happenings = [...lasting.map(happeningOf), ...marks.map(deedOf)];
  return {
    bands: [...lasting, ...pauses],
    strokes: marks.map(({ at, kind }) => ({ at: Date.parse(at), letter: WORDS[kind].letter })),
    happenings: happenings.sort((one, other) => other.from - one.from),
  };
}

function endOf({ at, kind, until }: HistoryMark, now: number): number {
  return kind === 'pause' ? Math.min(until === null ? now : Date.parse(until), now) : Date.parse(at);
}

function bandOf(kind: Band['kind'], { from, until }: HistorySpan): Band {
  return { kind, from: Date.parse(from), until: Date.parse(until) };
}

function happeningOf({ kind, from, until }: Band): Happening {
  return kind === 'outage'
    ? { from, until, what: 'Outage', text: STOOD_STILL }
    : { from, until, what: 'Not known', text: NOBODY_LOOKED };
}

function deedOf({ at, kind, text, until }: HistoryMark): Happening {
  const ends = until === null ? Infinity : Date.parse(until);
  return { from: Date.parse(at), until: kind === 'pause' ? ends : undefined, what: WORDS[kind].what, text };
}
