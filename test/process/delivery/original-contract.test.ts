/** What operators of the Python worker grep and scrape, produced by the built program. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { redisKeys } from '../../../src/queue/keys.js';
import { useCertificates } from '../../support/main-server/certificates.js';
import { freePort } from '../../support/free-port.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { useProgram } from '../../support/program/program.js';
import { useRedis } from '../../support/redis/redis.js';

const start = useProgram();
const redis = useRedis();
const certificates = useCertificates();
const mainServer = useMainServer(certificates);

const ID = '123e4567-e89b-12d3-a456-426614174000';
const MESSAGE = JSON.stringify({ message_id: ID, attempt_count: 0, queued_at: '2025-01-15T10:30:45.123456Z' });

/** The log example of the Python worker's README from its third hyphen on, with the ports of this test. */
function example(metricsPort: number): string[] {
  return [
    'INFO - [worker-1] - Worker worker-1 starting...',
    `INFO - [worker-1] - Connected to Redis at localhost:${redis.port}`,
    `INFO - [worker-1] - Prometheus metrics server started on port ${metricsPort}`,
    `INFO - [worker-1] - Processing message ${ID} (attempt 1/10000)`,
    `INFO - [worker-1] - Message ${ID} delivered successfully`,
  ];
}

/** Its table of metrics, each with a series as one delivery leaves it. */
const METRICS: readonly (readonly [string, string, string])[] = [
  ['worker_messages_processed_total', 'counter', '{worker_id="worker-1",status="delivered"} 1'],
  ['worker_messages_delivered_total', 'counter', '{worker_id="worker-1"} 1'],
  ['worker_messages_failed_total', 'counter', '{worker_id="worker-1",reason="timeout"} 0'],
  ['worker_messages_retried_total', 'counter', '{worker_id="worker-1"} 0'],
  ['worker_delivery_duration_seconds', 'histogram', '_count{worker_id="worker-1"} 1'],
  ['worker_queue_wait_seconds', 'histogram', '_count{worker_id="worker-1"} 1'],
  ['worker_active_workers', 'gauge', ' 1'],
  ['worker_processing_messages', 'gauge', '{worker_id="worker-1"} 0'],
];

test.each([
  ['worker', (port: number) => ['worker', '--worker-id', 'worker-1', '--metrics-port', String(port)]],
  ['start', (port: number) => ['start', '--num-workers', '1', '--base-metrics-port', String(port)]],
] as const)('%s: the log example and the metrics of the original', async (_command, commandLine) => {
  const metricsPort = await freePort();
  await redis.client.lpush('message_queue', MESSAGE);
  const program = start({
    args: commandLine(metricsPort),
    env: {
      REDIS_PORT: String(redis.port),
      MAIN_SERVER_URL: mainServer.server.url,
      WORKER_CERT_PATH: certificates.files.workerCert,
      WORKER_KEY_PATH: certificates.files.workerKey,
      CA_CERT_PATH: certificates.files.caCert,
      SUPERVISOR_PORT: String(await freePort()),
      SUPERVISOR_RUNTIME_DIR: 'run',
    },
  });
  await program.waitForLine(/delivered successfully$/);
  const page = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  for (const [name, type, series] of METRICS) {
    expect(page).toContain(`# TYPE ${name} ${type}\n`);
    expect(page).toContain(`\n${name}${series}\n`);
  }
  program.signal('SIGTERM');
  expect(await program.waitForExit()).toEqual({ code: 0, signal: null });
  // who may go on from here, `rollback` among them, waits for the end of no lease
  expect(await redis.client.zcount(redisKeys('message_queue').consumers, 0, '+inf')).toBe(0);

  const onConsole = program.lines.map(({ text }) => text);
  const inFile = readFileSync(join(program.cwd, 'logs', 'worker.log'), 'utf8')
    .trimEnd()
    .split('\n');
  for (const lines of [onConsole, inFile]) {
    const texts = lines.map((line) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - worker - (.*)$/.exec(line)?.[1]);
    expect(texts).not.toContain(undefined);
    expect(texts.filter((text) => example(metricsPort).includes(text ?? ''))).toEqual(example(metricsPort));
  }
});
