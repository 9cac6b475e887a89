/** What `GET /events` sends; read by the page, so it imports nothing of node. */
import type { StatusDocument } from './status-document.js';

/** `at` in seconds since the Unix epoch, durations in seconds; null = not known then. */
export interface Sample {
  readonly at: number;
  readonly delivered_per_second: number | null;
  readonly failed_per_second: number | null;
  readonly delivery_p50: number | null;
  readonly delivery_p95: number | null;
  readonly wait_p50: number | null;
  readonly wait_p95: number | null;
  readonly waiting: number | null;
  readonly retrying: number | null;
  readonly dead: number | null;
  readonly cpu_percent: number | null;
  readonly memory_bytes: number | null;
}
export type SampleField = keyof Sample;

/** Several samples, one array per field, all of one length. */
export type SampleColumns = { readonly [Field in SampleField]: readonly Sample[Field][] };

/** Event `status`, each second. */
export interface StatusEvent {
  /** By the clock of the supervisor's host, ms since the Unix epoch. */
  readonly at: number;
  readonly verdict: Verdict;
  readonly status: StatusDocument;
  /** False: SUPERVISOR_ADMIN_TOKEN is not set, so that over TCP nothing can be done, and nothing read of what is in messages. */
  readonly has_token: boolean;
}

/** Event `samples`: first all that are kept, then each new one. */
export type SamplesEvent = SampleColumns;

export type Flow = 'flowing' | 'degraded' | 'stopped';

/** Whether messages are delivered, why not, and what to do. */
export interface Verdict {
  readonly state: Flow;
  /** The sentences of /ready and /health. */
  readonly reasons: readonly string[];
  readonly next_steps: readonly NextStep[];
}

export interface NextStep {
  /** Completes "To ...". */
  readonly what: string;
  readonly type: string;
}
