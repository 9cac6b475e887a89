import type { CircuitBreaker } from '../../../../../src/domain/flow/circuit-breaker.js';
import {
  outcomeOfErrorCode,
  outcomeOfStatus,
  type DeliveryOutcome,
} from '../../../../../src/domain/delivery-outcome.js';

export const delivered = outcomeOfStatus(200, '');
export const notFound = outcomeOfStatus(404, '');
export const refused = outcomeOfErrorCode('ECONNREFUSED', '');
export const unavailable = outcomeOfStatus(503, '');
export const aborted: DeliveryOutcome = { kind: 'aborted' };

export function attempt(subject: CircuitBreaker, outcome: DeliveryOutcome, now = 0): void {
  subject.record(subject.begin(), outcome, now);
}
