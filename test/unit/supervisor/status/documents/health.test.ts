import { expect, test } from 'vitest';
import { statusText } from '../../../../../supervisor/commands/status/overview.js';
import { healthOf } from '../../../../../supervisor/status/documents/health.js';
import { readinessOf } from '../../../../../supervisor/status/documents/readiness.js';
import { judged } from '../../../../../supervisor/status/judgement/judged.js';
import { Onsets } from '../../../../../supervisor/status/judgement/onsets.js';
import type { StatusFacts } from '../../../../../supervisor/status/status-document.js';
import { NO_TRAFFIC } from '../../../../../supervisor/status/traffic-meter.js';
import { BACKOFF, factsOf } from '../judgement/facts.js';

test.each([
  { what: 'one of two consumes', document: factsOf([{}, BACKOFF]), code: 200 },
  { what: 'nobody consumes', document: factsOf([BACKOFF]), code: 503 },
  { what: 'the breaker is open in one', document: factsOf([{ breaker: 'open' }, {}]), code: 200 },
  { what: 'it is open in all', document: factsOf([{ breaker: 'open' }, { breaker: 'open' }]), code: 503 },
  { what: 'we stop', document: factsOf([{}], { supervisor: { state: 'stopping' } }), code: 503 },
])('ready: $what → $code', ({ document, code }) => {
  expect(readinessOf(document).status).toBe(code);
});

test('ready: Redis that only we cannot reach is no reason, Redis that nobody reaches is', () => {
  const queue = { redis_up: false };
  expect(readinessOf(factsOf([{}], { queue })).status).toBe(200);
  const gone = readinessOf(factsOf([{ redis_up: false, consuming: false }], { queue }));
  expect(gone).toMatchObject({ status: 503, body: { ready: false } });
});

test.each([
  { what: 'all well', document: factsOf([{}]), code: 200, says: 'healthy' },
  { what: 'starting', document: factsOf([{ state: 'starting', consuming: false }]), code: 200, says: 'healthy' },
  {
    what: 'starting again after a crash',
    document: factsOf([{ ...BACKOFF, state: 'starting' }]),
    code: 200,
    says: 'degraded',
  },
  { what: 'one in backoff', document: factsOf([{}, BACKOFF]), code: 200, says: 'degraded' },
  { what: 'all in backoff', document: factsOf([BACKOFF, BACKOFF]), code: 503, says: 'unhealthy' },
  {
    what: 'a failed reload',
    document: factsOf([{}], { supervisor: { reasons: ['the last reload failed'] } }),
    code: 200,
    says: 'degraded',
  },
])('health: $what → $code $says', ({ document, code, says }) => {
  expect(healthOf(document)).toMatchObject({ status: code, body: { status: says } });
});

test('health: half of the attempts fail, though every worker takes messages', () => {
  const errors = [
    {
      reason: 'http_500',
      count: 12,
      recent_count: 12,
      last_at: null,
      last_error: 'HTTP 500',
      last_message_id: null,
      last_worker_id: 'worker-1',
    },
  ];
  const reasonsWith = (delivered: number, failed: number) =>
    healthOf(factsOf([{}], { traffic: { ...NO_TRAFFIC, window_seconds: 30, delivered, failed }, errors })).body.reasons;
  expect(reasonsWith(8, 12)).toEqual(['12 of 20 attempts of the last 30 s failed; the latest: HTTP 500']);
  expect(reasonsWith(13, 12)).toEqual([]);
  expect(reasonsWith(0, 9)).toEqual([]);
});

test('of a pause the first word of the status speaks, unless nothing runs at all', () => {
  const paused = { id: 'p', who: 'anna', where: 'web-1', why: 'new main server', until: null };
  const shown = (facts: StatusFacts) => judged(facts, new Onsets(), 0);
  const document = shown(factsOf([{}], { queue: { paused } }));
  expect(statusText(document).join('\n')).toMatch(/^PAUSED  deliveries are paused by anna on web-1 until somebody/);
  expect(statusText(shown(factsOf([], { queue: { paused } })))[0]).toMatch(/^STOPPED /);
  expect(statusText(shown(factsOf([{}])))[0]).toMatch(/^FLOWING /);
});
