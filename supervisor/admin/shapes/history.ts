/** What is answered about the past. Types only: the protocol has them, and the page runs that. */

/** What the workers of all hosts did, by Redis's clock. */
export interface HistoryDocument {
  readonly schema_version: number;
  readonly queue: string;
  readonly days: number;
  readonly by: 'minute' | 'hour' | 'day';
  /** Now; ISO 8601, UTC, as `from`. */
  readonly at: string;
  /** The oldest first, one for each unit of time; by minute without those in which nothing happened. */
  readonly rows: readonly HistoryRow[];
  /** Of all rows. */
  readonly total: HistoryNumbers;
  /** The first look that anybody took: what was before it is not known. null = that is not known either. */
  readonly known_since: string | null;
  /** Nobody looked, since Redis was away or took no writes, or no supervisor ran: what is not in a row is not known. */
  readonly gaps: readonly HistorySpan[];
  /** The workers of at least one host could deliver nothing for 5 s or more. */
  readonly outages: readonly HistorySpan[];
  /** What operators did, as the audit has it, the oldest first; null = the audit could not be read. */
  readonly marks: readonly HistoryMark[] | null;
  /** The audit has more entries than are looked through: earlier marks are not known. null = these are all. */
  readonly marks_since: string | null;
}

/** ISO 8601, UTC. */
export interface HistorySpan {
  readonly from: string;
  readonly until: string;
}

export interface HistoryMark {
  readonly at: string;
  readonly kind: 'reload' | 'restart' | 'scale' | 'stop' | 'pause' | 'resume';
  /** `worker-2`, `3 → 5`, `failed: ...`, why; may be empty. */
  readonly text: string;
  /** When a pause ended, or will; null = it goes on until somebody ends it, or this is no pause. */
  readonly until: string | null;
}

interface HistoryRow extends HistoryNumbers {
  readonly from: string;
}

export interface HistoryNumbers {
  /** Beside Python workers and earlier versions at least. */
  readonly arrived: number;
  readonly delivered: number;
  /** Attempts. */
  readonly failed: number;
  readonly retried: number;
  /** By workers. */
  readonly buried: number;
  /** Of the message that waited longest, at any look; 0 = none waited, or its age could not be read. */
  readonly oldest_wait_seconds: number;
  /** At any look. */
  readonly most_waiting: number;
}
