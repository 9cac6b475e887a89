import { outcomeOfStatus, type DeliveryOutcome } from '../../domain/delivery-outcome.js';
import { outcomeOfError } from '../connection-fault.js';
import { retryAfterMs } from '../../domain/flow/retry-after.js';
import type { ExchangeResult, RetryAfter } from './http-exchange.js';
import type { Credentials } from '../tls-credentials.js';

/** What came of an exchange. Of an error nothing but code and message goes on. */
export function outcomeOfResult(
  result: ExchangeResult,
  credentials: Credentials | undefined,
  wallNowMs: number,
): DeliveryOutcome {
  switch (result.kind) {
    case 'answer':
      return outcomeOfStatus(result.status, result.body, patienceIn(result.retryAfter, wallNowMs));
    case 'error': {
      const outcome = outcomeOfError(result.error, credentials, wallNowMs);
      return outcome.kind === 'failed' && result.sent ? { ...outcome, fateUnknown: true } : outcome;
    }
    case 'settled':
      return result.outcome;
  }
}

function patienceIn(headers: RetryAfter | undefined, wallNowMs: number): number | undefined {
  return headers && retryAfterMs(headers.value, headers.date, wallNowMs);
}
