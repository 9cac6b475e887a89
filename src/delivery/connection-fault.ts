import { certificateExpired } from '../shared/words/causes.js';
import { outcomeOfErrorCode, type DeliveryOutcome } from '../domain/delivery-outcome.js';
import { reasonOf } from '../shared/errors.js';
import type { Credentials } from './tls-credentials.js';

/** How a connection ends when the server refuses our certificate, and for a hundred other reasons. */
const BARE_ENDS: ReadonlySet<string | undefined> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/**
 * The outcome of an error of undici, got or a socket. Of the error itself only code and message go on: errors of got
 * carry the private key.
 */
export function outcomeOfError(
  error: unknown,
  credentials: Credentials | undefined,
  wallNowMs: number,
): DeliveryOutcome {
  const code = codeOf(error);
  const expiry = credentials?.cert === undefined ? undefined : credentials.notAfter[0];
  if (BARE_ENDS.has(code) && expiry && expiry.notAfter <= wallNowMs) {
    return outcomeOfErrorCode(
      'CERT_HAS_EXPIRED',
      certificateExpired('our own certificate', expiry.file, expiry.notAfter),
    );
  }
  return outcomeOfErrorCode(code, messageOf(error));
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.name;
}

/** Several addresses tried in vain make an AggregateError without a text of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join(', ');
  return reasonOf(error);
}
