import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BURIAL_REASONS } from '../../../../../src/domain/dead-letters/reasons.js';
import { FAILURE_REASONS } from '../../../../../src/domain/delivery-outcome.js';
import { createWorkerMetrics, type WorkerMetrics } from '../../../../../src/shared/metrics/worker-metrics.js';

let metrics: WorkerMetrics;
let droppedLogLines: number;
beforeEach(() => {
  droppedLogLines = 0;
  metrics = createWorkerMetrics('worker-1', { droppedLogLines: () => droppedLogLines });
});
afterEach(() => {
  metrics.registry.clear();
});

/** The value of one series as Prometheus reads it. */
async function value(series: string): Promise<number | undefined> {
  const line = (await metrics.registry.metrics()).split('\n').find((text) => text.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe("the Python worker's eight metrics", () => {
  test.each([
    ['worker_messages_processed_total', 'counter', 'Total number of messages processed'],
    ['worker_messages_delivered_total', 'counter', 'Total number of messages successfully delivered'],
    ['worker_messages_failed_total', 'counter', 'Total number of messages that failed delivery'],
    ['worker_messages_retried_total', 'counter', 'Total number of message retry attempts'],
    ['worker_delivery_duration_seconds', 'histogram', 'Message delivery duration in seconds'],
    ['worker_queue_wait_seconds', 'histogram', 'Time message spent in queue before processing'],
    ['worker_active_workers', 'gauge', 'Number of active worker processes'],
    ['worker_processing_messages', 'gauge', 'Number of messages currently being processed'],
  ])('%s', async (name, type, help) => {
    const text = await metrics.registry.metrics();
    expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
  });

  test('the duration has the buckets of the Python client', async () => {
    const text = await metrics.registry.metrics();
    const bounds = [
      ...text.matchAll(/^worker_delivery_duration_seconds_bucket\{le="([^"]+)",worker_id="worker-1"\} 0$/gm),
    ];
    const expected = '0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1.0 2.5 5.0 7.5 10.0 +Inf';
    expect(bounds.map((match) => match[1]).join(' ')).toBe(expected);
  });

  test('the wait reaches one hour', async () => {
    metrics.observeWait(3599);
    expect(await value('worker_queue_wait_seconds_bucket{le="1800.0",worker_id="worker-1"}')).toBe(0);
    expect(await value('worker_queue_wait_seconds_bucket{le="3600.0",worker_id="worker-1"}')).toBe(1);
  });

  test('worker_active_workers has no label and is 1', async () => {
    expect(await value('worker_active_workers')).toBe(1);
  });
});

test('every counter stands at 0 before anything happened, so that rate() sees the first event', async () => {
  for (const status of ['delivered', 'failed']) {
    expect(await value(`worker_messages_processed_total{worker_id="worker-1",status="${status}"}`)).toBe(0);
  }
  for (const reason of [...FAILURE_REASONS, ...BURIAL_REASONS]) {
    expect(await value(`worker_messages_failed_total{worker_id="worker-1",reason="${reason}"}`)).toBe(0);
  }
  for (const name of ['messages_delivered', 'messages_retried', 'claims_lost', 'log_lines_dropped']) {
    expect(await value(`worker_${name}_total{worker_id="worker-1"}`)).toBe(0);
  }
});

test('counts in the registry', async () => {
  metrics.processed('delivered');
  metrics.delivered();
  metrics.processed('failed');
  metrics.failed('timeout');
  metrics.failed('poison');
  metrics.retried();
  expect(await value('worker_messages_processed_total{worker_id="worker-1",status="failed"}')).toBe(1);
  expect(await value('worker_messages_delivered_total{worker_id="worker-1"}')).toBe(1);
  expect(await value('worker_messages_failed_total{worker_id="worker-1",reason="timeout"}')).toBe(1);
  expect(await value('worker_messages_failed_total{worker_id="worker-1",reason="poison"}')).toBe(1);
  expect(await value('worker_messages_retried_total{worker_id="worker-1"}')).toBe(1);
});

test('shows the state of the worker', async () => {
  metrics.setProcessing(3);
  metrics.setBreakerOpen(true);
  metrics.setRedisUp(true);
  metrics.claimsLost(2);
  metrics.setCertificateNotAfter('certs/worker.crt', 1_800_000_000);
  droppedLogLines = 5;
  expect(await value('worker_processing_messages{worker_id="worker-1"}')).toBe(3);
  expect(await value('worker_circuit_breaker_open{worker_id="worker-1"}')).toBe(1);
  expect(await value('worker_redis_up{worker_id="worker-1"}')).toBe(1);
  expect(await value('worker_claims_lost_total{worker_id="worker-1"}')).toBe(2);
  expect(await value('worker_certificate_not_after_seconds{worker_id="worker-1",file="certs/worker.crt"}')).toBe(1.8e9);
  expect(await value('worker_log_lines_dropped_total{worker_id="worker-1"}')).toBe(5);
  expect(await value('worker_log_lines_dropped_total{worker_id="worker-1"}')).toBe(5);
});

test('no value makes it throw', async () => {
  for (const bad of [Number.NaN, Infinity, -Infinity, -1, undefined as never, 'x' as never, null as never]) {
    metrics.observeDelivery(bad);
    metrics.observeWait(bad);
    metrics.setProcessing(bad);
    metrics.claimsLost(bad);
    metrics.skipped('telling', bad);
    metrics.setCertificateNotAfter('f', bad);
  }
  metrics.failed('never heard of' as never);
  expect(await value('worker_messages_failed_total{worker_id="worker-1",reason="other"}')).toBe(1);
  metrics.observeWait(-3); // queued_at by a clock that runs ahead
  expect(await value('worker_queue_wait_seconds_sum{worker_id="worker-1"}')).toBe(0);
});

test('processed with an unknown status does not throw either', () => {
  expect(() => metrics.processed('unknown' as never)).not.toThrow();
});

test('the primary is told of what counted since it was told last, as it stands now', async () => {
  const told = async () => {
    const { metrics: changed, failures } = await metrics.counts();
    const ours = changed.filter(({ name }) => name.startsWith('worker_'));
    return {
      changed: ours.map(({ name, values }) => `${name} ${values.map(({ value }) => value).join(' ')}`),
      failures,
    };
  };
  expect((await told()).changed).toHaveLength(10);
  expect(await told()).toEqual({ changed: [], failures: [] });
  metrics.processed('delivered');
  metrics.delivered();
  metrics.failed('timeout', { at: 1, error: 'Connection timeout', messageId: 'early' });
  metrics.failed('timeout', { at: 2, error: 'Connection timeout', messageId: 'late' });
  const { changed, failures } = await told();
  expect(changed).toContain('worker_messages_delivered_total 1');
  expect(changed).toHaveLength(3);
  expect(failures).toEqual([{ reason: 'timeout', at: 2, error: 'Connection timeout', messageId: 'late' }]);
  metrics.delivered();
  expect(await told()).toEqual({ changed: ['worker_messages_delivered_total 2'], failures: [] });
});

test('gauges are told apart from what counts', async () => {
  metrics.setProcessing(3);
  const gauges = await metrics.gauges();
  expect(gauges.find(({ name }) => name === 'worker_processing_messages')?.values).toEqual([
    { labels: { worker_id: 'worker-1' }, value: 3 },
  ]);
  expect(new Set(gauges.map(({ type }) => type))).toEqual(new Set(['gauge']));
  const counted = (await metrics.counts()).metrics;
  expect(counted.map(({ type }) => type)).not.toContain('gauge');
  const all = (await metrics.registry.getMetricsAsJSON()).map(({ name }) => name).sort();
  expect([...gauges, ...counted].map(({ name }) => name).sort()).toEqual(all);
});

test('two registries do not meet, and the primary can read one as JSON', async () => {
  const other = createWorkerMetrics('worker-2');
  metrics.delivered();
  const found = (await other.registry.getMetricsAsJSON()).find(
    ({ name }) => name === 'worker_messages_delivered_total',
  );
  expect(found?.values).toEqual([{ labels: { worker_id: 'worker-2' }, value: 0 }]);
  other.registry.clear();
});

test('default process metrics are there', async () => {
  const text = await metrics.registry.metrics();
  expect(text).toContain('process_resident_memory_bytes ');
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds ');
});
