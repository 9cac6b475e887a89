import { expect, test } from 'vitest';
import { SupervisorMetrics } from '../../../../supervisor/status/supervisor-metrics.js';
import type { StatusDocument } from '../../../../supervisor/status/status-document.js';
import { someStatus } from '../../contract/some-status.js';

const metrics = new SupervisorMetrics();

/** The value of a line of the page; undefined = there is none. */
async function valueOf(line: string, status: StatusDocument): Promise<number | undefined> {
  const found = (await metrics.scrape(status)).split('\n').find((text) => text.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
}

/** Of a worker that was not measured yet. */
const SILENT = { id: 'worker-1', restarts: 0, hangs: 0, breaker: null, cpu_percent: null, memory_bytes: null };

const RETRIES = 'supervisor_duty_failing{duty="retry scheduler"}';
const OBSERVATION = 'supervisor_duty_failing{duty="observation of leases"}';

test('each duty is shown, and as failing for as long as it fails in the supervisor or in a worker', async () => {
  const status = someStatus();
  expect([await valueOf(RETRIES, status), await valueOf(OBSERVATION, status)]).toEqual([0, 0]);
  const failing = (duty: string) => [{ duty, text: `the ${duty} has failed for more than 10 s: NOPERM`, stops: false }];
  const bad = {
    ...status,
    supervisor: { ...status.supervisor, failing_duties: failing('observation of leases') },
    workers: [{ ...SILENT, failing_duties: failing('retry scheduler') }] as unknown as StatusDocument['workers'],
  };
  expect([await valueOf(RETRIES, bad), await valueOf(OBSERVATION, bad)]).toEqual([1, 1]);
  expect([await valueOf(RETRIES, status), await valueOf(OBSERVATION, status)]).toEqual([0, 0]);
});

test('how late the retries are is not shown while Redis is away', async () => {
  const status = someStatus();
  const late = { ...status, queue: { ...status.queue, oldest_retry_overdue_seconds: 7.5 } };
  expect(await valueOf('redis_oldest_retry_overdue_seconds', late)).toBe(7.5);
  expect(await valueOf('redis_oldest_retry_overdue_seconds', status)).toBeUndefined();
});
