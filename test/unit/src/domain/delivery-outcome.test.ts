import { describe, expect, it } from 'vitest';
import {
  FAILURE_REASONS,
  outcomeOfErrorCode,
  outcomeOfStatus,
  type DeliveryOutcome,
} from '../../../../src/domain/delivery-outcome.js';

function failureOf(outcome: DeliveryOutcome) {
  if (outcome.kind !== 'failed') throw new Error(`expected a failure, got ${outcome.kind}`);
  return outcome;
}

describe('outcomeOfStatus', () => {
  it.each([200, 201, 204, 299])('%d is delivered', (status) => {
    expect(outcomeOfStatus(status, '')).toEqual({ kind: 'delivered', status });
  });

  it.each([
    [301, 'redirect', 'Redirect refused', true],
    [304, 'redirect', 'Redirect refused', true],
    [307, 'redirect', 'Redirect refused', true],
    [400, 'http_4xx', 'HTTP 400', true],
    [401, 'http_4xx', 'HTTP 401', true],
    [404, 'http_404', 'HTTP 404', true],
    [422, 'http_422', 'HTTP 422', true],
    [429, 'http_429', 'HTTP 429', false],
    [499, 'http_4xx', 'HTTP 499', true],
    [500, 'http_500', 'HTTP 500', true],
    [501, 'http_5xx', 'HTTP 501', true],
    [502, 'http_502', 'HTTP 502', false],
    [503, 'http_503', 'HTTP 503', false],
    [504, 'http_504', 'HTTP 504', false],
    [599, 'http_5xx', 'HTTP 599', true],
    [101, 'http_other', 'HTTP 101', true],
    [600, 'http_other', 'HTTP 600', true],
  ])('%d is %s', (status, reason, errorMessage, reachable) => {
    const flags = { reachable, messageUnknown: false, fateUnknown: false };
    const expected = { kind: 'failed', reason, errorMessage, status, ...flags, detail: 'body' };
    expect(outcomeOfStatus(status, 'body')).toEqual(expected);
    expect(FAILURE_REASONS).toContain(reason);
  });

  it.each([
    ['the application', '{"error":"Message not found: nope","status_code":404}', true],
    ['an older application', '{"error":"gone"}', true],
    ['a status code alone', '{"status_code":404}', true],
    ['the framework: wrong URL', '{"detail":"Not Found"}', false],
    ['a proxy', '<html>404</html>', false],
    ['an inherited key', '{"__proto__":{"error":"x"}}', false],
    ['an array', '["error"]', false],
    ['null', 'null', false],
    ['nothing', '', false],
    ['a cut body', '{"error":"Message not fou', false],
  ])('a 404 of %s', (_name, body, messageUnknown) => {
    expect(failureOf(outcomeOfStatus(404, body)).messageUnknown).toBe(messageUnknown);
  });

  it('says "message unknown" of a 404 only', () => {
    expect(failureOf(outcomeOfStatus(500, '{"error":"x","status_code":404}')).messageUnknown).toBe(false);
  });

  it('quotes 200 characters', () => {
    expect(failureOf(outcomeOfStatus(500, 'x'.repeat(65_536))).detail).toBe('x'.repeat(200));
  });
});

describe('outcomeOfErrorCode', () => {
  it.each([
    ['ETIMEDOUT', 'timeout', 'Connection timeout'],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout', 'Connection timeout'],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout', 'Connection timeout'],
    ['UND_ERR_BODY_TIMEOUT', 'timeout', 'Connection timeout'],
    ['TimeoutError', 'timeout', 'Connection timeout'],
    ['ERR_TLS_HANDSHAKE_TIMEOUT', 'timeout', 'Connection timeout'],
    ['ECONNREFUSED', 'connection_refused', 'Connection refused'],
    ['ECONNRESET', 'connection_reset', 'Connection reset'],
    ['EPIPE', 'connection_reset', 'Connection reset'],
    ['UND_ERR_SOCKET', 'connection_reset', 'Connection reset'],
    ['ENOTFOUND', 'dns', 'DNS lookup failed'],
    ['EAI_AGAIN', 'dns', 'DNS lookup failed'],
    ['EAI_FAIL', 'dns', 'DNS lookup failed'],
    ['EHOSTUNREACH', 'unreachable', 'Host unreachable'],
    ['ENETUNREACH', 'unreachable', 'Host unreachable'],
    ['CERT_HAS_EXPIRED', 'tls', 'TLS handshake failed'],
    ['EPROTO', 'tls', 'TLS handshake failed'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls', 'TLS handshake failed'],
    ['HPE_INVALID_CONSTANT', 'other', 'Delivery failed'],
    ['toString', 'other', 'Delivery failed'],
    ['', 'other', 'Delivery failed'],
    [undefined, 'other', 'Delivery failed'],
  ])('%s is %s', (code, reason, errorMessage) => {
    const expected = {
      kind: 'failed',
      reason,
      errorMessage,
      status: undefined,
      reachable: false,
      messageUnknown: false,
      fateUnknown: false,
    };
    expect(outcomeOfErrorCode(code, 'other side closed')).toEqual({ ...expected, detail: 'other side closed' });
    expect(FAILURE_REASONS).toContain(reason);
  });

  it('quotes 200 characters', () => {
    expect(failureOf(outcomeOfErrorCode('EPIPE', 'x'.repeat(201))).detail).toHaveLength(200);
  });
});

describe('a fault of certificates, keys or protocol versions', () => {
  it.each([
    'EPROTO',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    'ERR_OSSL_X509_KEY_VALUES_MISMATCH',
    'ERR_OSSL_BAD_DECRYPT',
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'CERT_REVOKED',
    'CERT_SIGNATURE_FAILURE',
    'CRL_HAS_EXPIRED',
    'UNABLE_TO_GET_CRL',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'ERROR_IN_CERT_NOT_AFTER_FIELD',
    'INVALID_CA',
    'INVALID_PURPOSE',
    'PATH_LENGTH_EXCEEDED',
    'HOSTNAME_MISMATCH',
  ])('%s', (code) => expect(failureOf(outcomeOfErrorCode(code, '')).reason).toBe('tls'));

  it.each([
    'ECONNRESET',
    'ETIMEDOUT',
    'UND_ERR_SOCKET',
    'ERR_TLS_HANDSHAKE_TIMEOUT',
    'EPROTOTYPE',
    'ERR_INVALID_CA',
    '',
  ])('not %j', (code) => expect(failureOf(outcomeOfErrorCode(code, '')).reason).not.toBe('tls'));
});
