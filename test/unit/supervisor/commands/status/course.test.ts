import { expect, test } from 'vitest';
import type { StatusDocument } from '../../../../../supervisor/status/status-document.js';
import { sparkline, Course } from '../../../../../supervisor/commands/status/course.js';
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
  const course = new Course(3);
  expect(course.now).toBe(0);
  course.add(delivered(10), 0);
  course.add(delivered(30), 2_000);
  expect(course.now).toBe(10);
  course.add(delivered(5), 3_000);
  expect(course.now).toBe(0);
  course.add(delivered(500, 2), 4_000);
  expect(course.of('delivered')).toEqual([10, 0]);
  course.add(delivered(501, 2), 4_500);
  course.add(delivered(501, 2), 5_000);
  expect(course.of('delivered')).toEqual([0, 2, 0]);
});
