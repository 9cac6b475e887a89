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
      /**
       * No answer came, and the request had left: the server may have read it, and may be working on it still. What it
       * makes of it is not known, so no status of ours may follow.
       */
      readonly fateUnknown: boolean;
      /** A 429 or 503 asks not to be asked again for so long, at most 10 min. */
      readonly retryAfterMs?: number;
      /** The answer's body up to 200 characters, or what the socket said: for the log only. */
      readonly detail: string;
    }
  /** Cut by us at a kill: neither delivered nor failed. */
  | { readonly kind: 'aborted' };

export const ABORTED: DeliveryOutcome = { kind: 'aborted' };

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

export function isFailureReason(reason: string): reason is FailureReason {
  return (FAILURE_REASONS as readonly string[]).includes(reason);
}

const MAX_DETAIL = 200;

/** Statuses of a server, or of the proxy before it, that cannot serve anyone now. */
const STATUSES_OF_AN_ABSENT_SERVER: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Whether a failed attempt tells something of its message: one that a server which serves nobody refused tells nothing. */
export function tellsOfMessage(status: number | undefined): boolean {
  return status !== undefined && !STATUSES_OF_AN_ABSENT_SERVER.has(status);
}

/**
 * The outcome of an exchange that was answered.
 *
 * @param body the answer's body, as much of it as was read; a cut one is no longer JSON and proves nothing.
 * @param retryAfter ms, of a 429 or 503 (flow/retry-after.ts).
 */
export function outcomeOfStatus(status: number, body: string, retryAfter?: number): DeliveryOutcome {
  if (status >= 200 && status < 300) return { kind: 'delivered', status };
  const reason = reasonOfStatus(status);
  return {
    kind: 'failed',
    reason,
    errorMessage: reason === 'redirect' ? 'Redirect refused' : `HTTP ${status}`,
    status,
    reachable: !STATUSES_OF_AN_ABSENT_SERVER.has(status),
    messageUnknown: status === 404 && isApplicationError(body),
    fateUnknown: false,
    ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter }),
    detail: body.slice(0, MAX_DETAIL),
  };
}

/**
 * A POST was answered as no application does that has this route: by the framework or a proxy that knows no such path, or
 * not with this method.
 */
export function isNoSuchRoute(outcome: DeliveryOutcome): boolean {
  if (outcome.kind !== 'failed') return false;
  return outcome.status === 405 || (outcome.status === 404 && !outcome.messageUnknown);
}

function reasonOfStatus(status: number): FailureReason {
  if (status >= 300 && status < 400) return 'redirect';
  switch (status) {
    case 404:
    case 422:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return `http_${status}`;
    default:
      if (status >= 400 && status < 500) return 'http_4xx';
      return status >= 500 && status < 600 ? 'http_5xx' : 'http_other';
  }
}

/**
 * The application answers `{"error": text, "status_code": n}`. A 404 of the framework, `{"detail":"Not Found"}`, or of a
 * proxy means that MAIN_SERVER_URL is wrong, not that the message is missing.
 */
function isApplicationError(body: string): boolean {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return false;
    return Object.hasOwn(answer, 'error') || Object.hasOwn(answer, 'status_code');
  } catch {
    return false;
  }
}

interface CodeMeaning {
  readonly reason: FailureReason;
  readonly errorMessage: string;
}

const TIMEOUT: CodeMeaning = { reason: 'timeout', errorMessage: 'Connection timeout' };
const REFUSED: CodeMeaning = { reason: 'connection_refused', errorMessage: 'Connection refused' };
const RESET: CodeMeaning = { reason: 'connection_reset', errorMessage: 'Connection reset' };
const DNS: CodeMeaning = { reason: 'dns', errorMessage: 'DNS lookup failed' };
const UNREACHABLE: CodeMeaning = { reason: 'unreachable', errorMessage: 'Host unreachable' };
const TLS: CodeMeaning = { reason: 'tls', errorMessage: 'TLS handshake failed' };
const OTHER: CodeMeaning = { reason: 'other', errorMessage: 'Delivery failed' };

/** Codes of Node's sockets and resolver, of undici (UND_ERR_*) and of got (whose timeouts are ETIMEDOUT). */
const MEANINGS: ReadonlyMap<string, CodeMeaning> = new Map([
  ['ETIMEDOUT', TIMEOUT],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', TIMEOUT],
  ['UND_ERR_CONNECT_TIMEOUT', TIMEOUT],
  ['UND_ERR_HEADERS_TIMEOUT', TIMEOUT],
  ['UND_ERR_BODY_TIMEOUT', TIMEOUT],
  // The name of what AbortSignal.timeout throws; its code is the number 23.
  ['TimeoutError', TIMEOUT],
  ['ECONNREFUSED', REFUSED],
  ['ECONNRESET', RESET],
  ['ECONNABORTED', RESET],
  ['EPIPE', RESET],
  ['UND_ERR_SOCKET', RESET],
  ['ENOTFOUND', DNS],
  ['ENODATA', DNS],
  ['ESERVFAIL', DNS],
  ['EHOSTUNREACH', UNREACHABLE],
  ['EHOSTDOWN', UNREACHABLE],
  ['ENETUNREACH', UNREACHABLE],
  ['ENETDOWN', UNREACHABLE],
  ['EADDRNOTAVAIL', UNREACHABLE],
]);

/**
 * The outcome of an exchange that brought no answer. Whatever the code, the server was not reached: an unknown code must
 * not burn the attempts of every message.
 *
 * @param code of the error, or the code of its cause; undefined when it has none.
 * @param sent the request had left.
 */
export function outcomeOfErrorCode(code: string | undefined, detail: string, sent = false): DeliveryOutcome {
  return {
    kind: 'failed',
    ...meaningOf(code),
    status: undefined,
    reachable: false,
    messageUnknown: false,
    fateUnknown: sent,
    detail: detail.slice(0, MAX_DETAIL),
  };
}

function meaningOf(code: string | undefined): CodeMeaning {
  if (code === undefined) return OTHER;
  const meaning = MEANINGS.get(code);
  if (meaning !== undefined) return meaning;
  if (code.startsWith('EAI_')) return DNS;
  return isTlsCode(code) ? TLS : OTHER;
}

/** Node's own TLS errors, OpenSSL's library errors, and what a plain HTTP port answers to a handshake. */
const TLS_CODE = /^(?:EPROTO$|ERR_(?:TLS|SSL|OSSL)_)/;

/** OpenSSL's verdicts on a certificate (X509_V_ERR_* without the prefix), as Node puts them into `code`. */
const CERTIFICATE_CODE =
  /^(?:CERT_|CRL_|UNABLE_TO_|ERROR_IN_C(?:ERT|RL)_|(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$)/;

/**
 * True for a fault of certificates, keys or protocol versions, which an operator has to mend. A main server that refuses
 * our certificate cannot be told from a reset by its code.
 */
function isTlsCode(code: string): boolean {
  return code !== 'ERR_TLS_HANDSHAKE_TIMEOUT' && (TLS_CODE.test(code) || CERTIFICATE_CODE.test(code));
}
