import { expect, test } from 'vitest';
import { NO_ARRIVALS } from '../../../../../supervisor/status/arrivals-meter.js';
import { NO_TRAFFIC } from '../../../../../supervisor/status/traffic-meter.js';

import { CAUSE } from '../../../../../src/shared/words/causes.js';
import { healthOf } from '../../../../../supervisor/status/documents/health.js';
import { headline, statusText } from '../../../../../supervisor/commands/status/text.js';
import { readinessOf } from '../../../../../supervisor/status/documents/readiness.js';
import { verdictOf } from '../../../../../supervisor/status/documents/verdict.js';
import type { StatusDocument, WorkerStatus } from '../../../../../supervisor/status/status-document.js';

const WORKER: WorkerStatus = {
  id: 'worker-1',
  pid: 1,
  state: 'ready',
  reasons: [],
  consuming: true,
  breaker: 'closed',
  held_by: null,
  concurrency_limit: 4,
  limited_by: 'demand',
  redis_up: true,
  metrics_port: 9100,
  restarts: 0,
  hangs: 0,
  uptime_seconds: 1,
  cpu_percent: null,
  memory_bytes: null,
  event_loop_lag_seconds: null,
  processing: 0,
  failing_duties: [],
  processed: 0,
  delivered: 0,
  failed: 0,
  retried: 0,
};

function status(workers: Partial<WorkerStatus>[], changes: Partial<StatusDocument['supervisor']> = {}): StatusDocument {
  return {
    supervisor: {
      pid: 1,
      version: '1',
      state: 'running',
      uptime_seconds: 1,
      workers_wanted: workers.length,
      last_reload: null,
      reloads_succeeded: 0,
      reloads_failed: 0,
      reasons: [],
      ...changes,
    },
    workers: workers.map((worker) => ({ ...WORKER, ...worker })),
    totals: { processed: 0, delivered: 0, failed: 0, retried: 0 },
    queue: {
      name: 'q',
      redis_up: true,
      waiting: 0,
      processing: 0,
      retrying: 0,
      dead: 0,
      oldest_wait_seconds: 0,
      eviction_policy: 'noeviction',
      paused: null,
      arrivals: NO_ARRIVALS,
    },
    certificates: [],
    traffic: NO_TRAFFIC,
    errors: [],
  };
}

const BACKOFF = { state: 'backoff', consuming: false, breaker: null, redis_up: false, pid: null } as const;

test.each([
  { what: 'one of two consumes', document: status([{}, BACKOFF]), code: 200, says: undefined },
  { what: 'nobody consumes', document: status([BACKOFF]), code: 503, says: 'worker-1 is backoff' },
  {
    what: 'the breaker is open everywhere',
    document: status([{ state: 'degraded', breaker: 'open' }]),
    code: 503,
    says: 'the circuit breaker is open in every worker: the main server cannot be reached',
  },
  { what: 'it is open in one', document: status([{ breaker: 'open' }, {}]), code: 200, says: undefined },
  { what: 'we stop', document: status([{}], { state: 'stopping' }), code: 503, says: 'the supervisor is stopping' },
])('ready: $what → $code', ({ document, code, says }) => {
  const { status: got, body } = readinessOf(document);
  expect(got).toBe(code);
  if (says !== undefined) expect(body.reasons).toContain(says);
});

test('ready: Redis that only we cannot reach is no reason, Redis that nobody reaches is', () => {
  const away = { ...status([{}]), queue: { ...status([]).queue, redis_up: false } };
  expect(readinessOf(away).status).toBe(200);
  const gone = { ...away, workers: [{ ...WORKER, redis_up: false, consuming: false }] };
  expect(readinessOf(gone)).toMatchObject({ status: 503, body: { ready: false } });
});

const TROUBLES: readonly (readonly [string, Partial<StatusDocument>, string])[] = [
  [
    'a backlog',
    { queue: { ...status([]).queue, waiting: 10_001 } },
    'queue backlog: 10001 messages wait, more than 10000',
  ],
  [
    'an expired certificate that nobody asked for',
    { certificates: [{ file: 'certs/worker.crt', not_after: '2026-01-02T03:04:05.000Z', expired: true }] },
    'the certificate has expired: certs/worker.crt ended on 2026-01-02; renew it and reload',
  ],
  [
    'an eviction policy',
    { queue: { ...status([]).queue, eviction_policy: 'allkeys-lru' } },
    'Redis has maxmemory-policy allkeys-lru, which can delete the queue',
  ],
  [
    'a pause',
    {
      queue: {
        ...status([]).queue,
        paused: { id: 'p', who: 'anna', where: 'web-1', why: 'new main server', until: '2026-01-02T03:04:05Z' },
      },
    },
    'deliveries are paused by anna on web-1 until 2026-01-02T03:04:05Z: new main server',
  ],
  ['Redis that the supervisor alone does not reach', { queue: { ...status([]).queue, redis_up: false } }, CAUSE.redis],
];

test.each(TROUBLES)('%s stops nothing, and is named by /ready and /health', (_, changes, says) => {
  const document = { ...status([{}]), ...changes };
  expect(readinessOf(document)).toMatchObject({ status: 200, body: { ready: true, reasons: [], warnings: [says] } });
  expect(healthOf(document)).toMatchObject({ status: 200, body: { status: 'degraded', reasons: [says] } });
});

test('10,000 waiting messages are no backlog yet', () => {
  const document = { ...status([{}]), queue: { ...status([]).queue, waiting: 10_000 } };
  expect(readinessOf(document).body).toEqual({ ready: true, reasons: [], warnings: [], paused: null });
});

test('a main server that cannot be reached, and the certificate that is why', () => {
  const [, { certificates = [] } = {}, says] = TROUBLES[1] ?? [];
  const document = { ...status([{ state: 'degraded', breaker: 'open', consuming: false }]), certificates };
  expect(readinessOf(document).body.reasons.slice(0, 2)).toEqual([
    `the circuit breaker is open in every worker: the ${CAUSE.mainServer}`,
    says,
  ]);
});

test.each([
  { what: 'all well', document: status([{}]), code: 200, says: 'healthy' },
  { what: 'starting', document: status([{ state: 'starting' }]), code: 200, says: 'healthy' },
  {
    what: 'starting again after a crash',
    document: status([{ state: 'starting', reasons: ['its last process exited with code 1'] }]),
    code: 200,
    says: 'degraded',
  },
  { what: 'one in backoff', document: status([{}, BACKOFF]), code: 200, says: 'degraded' },
  { what: 'all in backoff', document: status([BACKOFF, BACKOFF]), code: 503, says: 'unhealthy' },
  {
    what: 'a failed reload',
    document: status([{}], { reasons: ['the last reload failed'] }),
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
    healthOf({ ...status([{}]), traffic: { ...NO_TRAFFIC, window_seconds: 30, delivered, failed }, errors }).body
      .reasons;
  expect(reasonsWith(8, 12)).toEqual(['12 of 20 attempts of the last 30 s failed; the latest: HTTP 500']);
  expect(reasonsWith(13, 12)).toEqual([]);
  expect(reasonsWith(0, 9)).toEqual([]);
});

const duty = (stops: boolean) => ({ text: 'the retry scheduler has failed for more than 10 s: NOPERM', stops });

test('a duty that fails is a warning, and a reason once it stops all workers', () => {
  const one = status([{ failing_duties: [duty(false)] }, { id: 'worker-2' }]);
  const warning = 'worker-1: the retry scheduler has failed for more than 10 s: NOPERM';
  expect(readinessOf(one)).toMatchObject({ status: 200, body: { ready: true, warnings: [warning] } });
  expect(healthOf(one)).toMatchObject({ status: 200, body: { status: 'degraded', reasons: [warning] } });
  const half = status([{ failing_duties: [duty(true)] }, { id: 'worker-2' }]);
  expect(readinessOf(half)).toMatchObject({ status: 200, body: { warnings: [warning] } });
  const all = status([{ failing_duties: [duty(true)] }, { id: 'worker-2', failing_duties: [duty(true)] }]);
  const reasons = [warning, warning.replace('1', '2')];
  expect(readinessOf(all)).toMatchObject({ status: 503, body: { ready: false, reasons, warnings: [] } });
});

test('workers that keep a pause are no warning each where the pause is one', () => {
  const paused = { id: 'p', who: 'anna', where: '', why: '', until: null };
  const held = { held_by: 'paused', reasons: ['deliveries are paused'] } as const;
  const document = { ...status([held, held]), queue: { ...status([]).queue, paused } };
  expect(readinessOf(document)).toEqual({
    status: 200,
    body: { ready: true, reasons: [], warnings: ['deliveries are paused by anna until somebody ends it'], paused },
  });
  const unseen = { ...document, queue: { ...document.queue, paused: null } };
  expect(readinessOf(unseen).body.warnings).toEqual(
    ['worker-1', 'worker-1'].map((id) => `${id} claims nothing: deliveries are paused`),
  );
});

test('of a pause the first word of the status speaks, unless nothing runs at all', () => {
  const paused = { id: 'p', who: 'anna', where: 'web-1', why: 'new main server', until: null };
  const document = { ...status([{}]), queue: { ...status([]).queue, paused } };
  expect(statusText(document).join('\n')).toMatch(
    /^PAUSED [^]*! deliveries are paused by anna on web-1 until somebody/,
  );
  expect(headline({ ...document, workers: [] })).toBe('STOPPED');
  expect(headline(status([{}]))).toBe('FLOWING');
  const what = { what: 'have deliveries go on', type: 'message-broker-worker resume' };
  expect(verdictOf(document).next_steps).toContainEqual(what);
});
