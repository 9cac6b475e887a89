/**
 * What one HTTP exchange with the main server means. Pure.
 *
 * `reason` is the label of worker_messages_failed_total, `errorMessage` the text sent to the main server (which uses it
 * as a metric label): both are closed sets.
 */
export type DeliveryOutcome =
  | { readonly kind: 'delivered'; readonly status: number }
  | {
      readonly kind: 'failed';
      readonly reason: FailureReason;
      readonly errorMessage: string;
      /** HTTP status, when there was one. */
      readonly status: number | undefined;
      /** False when the outcome says "the server cannot be reached now": the circuit breaker counts these. */
      readonly reachable: boolean;
      /** A 404 of the application: it does not know the message (yet). */
      readonly messageUnknown: boolean;
      /** The answer's body up to some length, or what the socket said: for the log only. */
      readonly detail: string;
    }
  /** Cut by us at a kill: neither delivered nor failed. */
  | { readonly kind: 'aborted' };

export const FAILURE_REASONS = [
  'timeout',
  'connection_refused',
  'connection_reset',
  'dns',
  'unreachable',
  'tls',
  'redirect',
  'http_404',
  'http_422',
  'http_429',
  'http_4xx',
  'http_500',
  'http_502',
  'http_503',
  'http_504',
  'http_5xx',
  'http_other',
  'other',
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];
