import { expect, test } from 'vitest';
import type { ArrivalsStatus } from '../../../../../supervisor/status/status-document.js';
import { statusText } from '../../../../../supervisor/commands/status/text.js';
import { NO_ARRIVALS } from '../../../../../supervisor/status/arrivals-meter.js';
import { someStatus } from '../../../contract/some-status.js';

function said(arrivals: Partial<ArrivalsStatus>): string | undefined {
  const status = someStatus();
  const lines = statusText({ ...status, queue: { ...status.queue, arrivals: { ...NO_ARRIVALS, ...arrivals } } });
  return lines.find((line) => line.startsWith('arriving'));
}

test('what arrives is said once it is known, and whether the workers keep up with it', () => {
  expect(said({ arrived: 7 })).toBeUndefined();
  expect(said({ arrived_per_second: 0, trend: 'none' })).toBe('arriving on all hosts: 0.0/s');
  expect(said({ arrived_per_second: 12.34, trend: 'growing' })).toBe('arriving on all hosts: 12.3/s, what waits grows');
  expect(said({ arrived_per_second: 5, trend: 'level' })).toBe('arriving on all hosts: 5.0/s, as much as leaves');
  expect(said({ arrived_per_second: 5, trend: 'shrinking', caught_up_in_seconds: 54 })).toBe(
    'arriving on all hosts: 5.0/s, caught up in about 54s',
  );
});
