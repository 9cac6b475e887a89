/** What is answered about what operators do to the whole queue. Types only: the protocol has them, and the page runs that. */
import type { PausedStatus } from '../../status/status-document.js';

export interface AuditDocument {
  readonly schema_version: number;
  /** The newest first. */
  readonly entries: readonly AuditEntryDocument[];
}

export interface AuditEntryDocument {
  /** Grows with each entry. */
  readonly id: string;
  /** ISO 8601, UTC, by the clock of Redis. */
  readonly at: string | null;
  readonly action: string;
  readonly who: string;
  readonly where: string;
  /** What it was restricted to, as it was asked for. */
  readonly filter: unknown;
  /** To how many it was done. */
  readonly count: number | null;
  readonly detail: string | null;
}

export interface PauseAnswer extends PausedStatus {
  readonly schema_version: number;
  /** Each worker with a lease has confirmed it: from now on no delivery begins. */
  readonly complete: boolean;
  /** Why it is not complete, as in every ErrorAnswer. */
  readonly error?: string;
  /** Consumers, by their names in Redis. */
  readonly confirmed: readonly string[];
  readonly missing: readonly string[];
  /** Claimed, on any host: what had begun goes on, all else goes back. */
  readonly processing: number;
  /** Clients of Redis that wait in a plain BRPOP: Python workers, if it is this queue in which they wait. */
  readonly plain_poppers: readonly string[];
  /** A pause that stood there before. */
  readonly replaced: PausedStatus | null;
}

export interface ResumeAnswer {
  readonly schema_version: number;
  /** What was ended; null = deliveries were not paused. */
  readonly ended: PausedStatus | null;
}
