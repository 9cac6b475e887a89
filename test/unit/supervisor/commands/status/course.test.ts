import { expect, test } from 'vitest';
import type { StatusDocument } from '../../../../../supervisor/status/status-document.js';
import { sparkline, Throughput } from '../../../../../supervisor/commands/status/throughput.js';
import { someStatus } from '../../../contract/some-status.js';

test.each([
  [[], ''],
  [[0, 0], '▁▁'],
  [[0, 1, 2, 4, 7], '▁▂▃▅█'],
  [[1000], '█'],
  [[0.001, 1000], '▂█'],
])('sparkline of %j is %s', (values, line) => {
  expect(sparkline(values)).toBe(line);
});

function delivered(count: number, pid = 1): StatusDocument {
  const status = someStatus();
  const worker = { ...({} as StatusDocument['workers'][number]), delivered: count };
  return { ...status, supervisor: { ...status.supervisor, pid }, workers: [worker] };
}

test('rates are deliveries per second between two looks; a new supervisor begins anew, and no rate is below 0', () => {
  const throughput = new Throughput(3);
  expect(throughput.now).toBe(0);
  throughput.add(delivered(10), 0);
  throughput.add(delivered(30), 2_000);
  expect(throughput.now).toBe(10);
  throughput.add(delivered(5), 3_000);
  expect(throughput.now).toBe(0);
  throughput.add(delivered(500, 2), 4_000);
  expect(throughput.rates).toEqual([10, 0]);
  throughput.add(delivered(501, 2), 4_500);
  throughput.add(delivered(501, 2), 5_000);
  expect(throughput.rates).toEqual([0, 2, 0]);
});
