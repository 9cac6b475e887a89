/** What `GET /events` sends; read by the page, so it imports nothing of node. */
import type { StatusDocument } from './status-document.js';

export const SAMPLE_FIELDS = [
  'at',
  'delivered_per_second',
  'failed_per_second',
  'delivery_p50',
  'delivery_p95',
  'wait_p50',
  'wait_p95',
  'waiting',
  'retrying',
  'dead',
  'cpu_percent',
  'memory_bytes',
] as const;
export type SampleField = (typeof SAMPLE_FIELDS)[number];

/** `at` in seconds since the Unix epoch, durations in seconds; null = not known then. */
export type Sample = { readonly at: number } & { readonly [Field in Exclude<SampleField, 'at'>]: number | null };

/** Several samples, one array per field, all of one length. */
export type SampleColumns = { readonly [Field in SampleField]: readonly Sample[Field][] };

/** Event `status`, each second. */
export interface StatusEvent {
  /** By the clock of the supervisor's host, ms since the Unix epoch. */
  readonly at: number;
  readonly verdict: Verdict;
  readonly status: StatusDocument;
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
