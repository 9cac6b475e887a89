import type { ProbeResult } from '../domain/flow/circuit-breaker.js';
import type { DeliveryOutcome } from '../domain/delivery-outcome.js';
import type { Deadline } from '../shared/time/deadline.js';
import type { Credentials } from './tls-credentials.js';

/** The main server as the worker sees it. main-server-client.ts is the implementation. */
export interface MainServer {
  /**
   * One POST /internal/messages/deliver, bounded by the total deadline. Never rejects: every failure is an outcome.
   * `signal` (the kill) aborts it; the outcome is then `aborted`, which is no failure. `onOutcome` is told it first: to wait
   * for the promise as well would cost three turns of the microtask queue, and as many objects.
   */
  deliver(
    messageId: string,
    signal: AbortSignal,
    onOutcome?: (outcome: DeliveryOutcome) => void,
  ): Promise<DeliveryOutcome>;
  /**
   * PUT /internal/messages/{id}/status. Never rejects. None leaves after `deadline`, and what is under way then is reset:
   * a late "queued" must not overwrite "delivered".
   */
  updateStatus(
    messageId: string,
    update: StatusUpdate,
    deadline: Deadline,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome>;
  /**
   * GET /health. `unhealthy`: it answers with 429, 502, 503 or 504. `unsupported`: it answers but has no such route.
   */
  probe(): Promise<ProbeResult>;
  /**
   * GET of the path that messages are POSTed to, which delivers nothing. False: it is answered, by somebody who knows no
   * such path (where it is, the answer to GET is 405). True also while nobody answers.
   */
  hasRoute(): Promise<boolean>;
  /**
   * New connections use these; what is under way ends on the former ones. Throws when no TLS context can be made of them:
   * then nothing changes.
   */
  useCredentials(credentials: Credentials): void;
}

export interface StatusUpdate {
  readonly status: 'queued' | 'failed';
  readonly attemptCount: number;
  /** From the closed set of domain/delivery-outcome.ts: the server uses it as a metric label. */
  readonly errorMessage: string;
}
