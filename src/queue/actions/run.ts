/** What retry and cancel of many messages have alike: what is asked, how far it is, what came of it. */
import type { MessageFilter } from '../../domain/filter/message-filter.js';

export interface MeantMessage {
  readonly place: 'retry' | 'waiting';
  /** Undefined = it has none that can be read. */
  readonly messageId: string | undefined;
}

export interface ActionRun {
  readonly filter: MessageFilter;
  /** Counts and changes nothing. */
  readonly dryRun: boolean;
  /** Ends it after the step that is under way. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ActionProgress) => void;
  /** Each that the filter means, as it is met. */
  readonly onMeant?: (message: MeantMessage) => void;
}

export interface ActionProgress {
  /** Messages looked at, of `total`: those that came or went meanwhile are counted as they were met. */
  readonly seen: number;
  readonly total: number;
  /** Messages that the filter means. */
  readonly meant: number;
  /** Of these, moved by us. */
  readonly done: number;
  /** Of these, due by now, or made due before as soon as they may be. */
  readonly already: number;
  /** Of those done, not due yet: a status of their last attempt may be on its way for so long. */
  readonly later: number;
  readonly laterMs: number;
  /** Of those meant, left as they are: an earlier version scheduled them. */
  readonly earlier: number;
  /** Of the ids that the filter names, those that were met. */
  readonly met: ReadonlySet<string>;
  /** Somebody has ended it before it was through. */
  readonly isInterrupted: boolean;
}

/** Counts while a run goes on. */
export interface Tally extends ActionProgress {
  seen: number;
  total: number;
  meant: number;
  done: number;
  already: number;
  later: number;
  laterMs: number;
  earlier: number;
  met: Set<string>;
  isInterrupted: boolean;
}

export function newTally(total: number): Tally {
  const counts = { seen: 0, meant: 0, done: 0, already: 0, later: 0, laterMs: 0, earlier: 0 };
  return { ...counts, total, met: new Set(), isInterrupted: false };
}
