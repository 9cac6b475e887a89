import { systemClock } from '../../../../../src/shared/time/clock.js';
import { describe, expect, test } from 'vitest';
import type { LogLevel } from '../../../../../src/shared/config/config.js';
import { createLineFormat, localDate } from '../../../../../src/shared/logger/line-format.js';

const ID = '123e4567-e89b-12d3-a456-426614174000';

function formatAt(now: Date, format: 'text' | 'json' = 'text') {
  return createLineFormat({
    format,
    name: 'worker-1',
    clock: { ...systemClock, now: () => 0, wallNow: () => now.getTime() },
  });
}

describe('text', () => {
  test.each([
    [45, 123, 'Worker worker-1 starting...'],
    [45, 234, 'Connected to Redis at localhost:6379'],
    [45, 345, 'Prometheus metrics server started on port 9100'],
    [50, 456, `Processing message ${ID} (attempt 1/10000)`],
    [50, 567, `Message ${ID} delivered successfully`],
  ])("is the original README's example, second %i.%i", (second, ms, text) => {
    const line = formatAt(new Date(2025, 0, 15, 10, 30, second, ms))('INFO', text);
    expect(line).toBe(`2025-01-15 10:30:${second},${ms} - worker - INFO - [worker-1] - ${text}`);
  });

  test('follows the clock from millisecond to millisecond, across seconds and days and back', () => {
    let now = new Date(2025, 11, 31, 23, 59, 59, 999).getTime();
    const format = createLineFormat({
      format: 'text',
      name: 'w',
      clock: { ...systemClock, now: () => 0, wallNow: () => now },
    });
    expect(format('DEBUG', '')).toMatch(/^2025-12-31 23:59:59,999 - worker - DEBUG /);
    now += 1;
    expect(format('DEBUG', '')).toMatch(/^2026-01-01 00:00:00,000 /);
    now += 7.9;
    expect(format('DEBUG', '')).toMatch(/^2026-01-01 00:00:00,007 /);
    now -= 8.9;
    expect(format('DEBUG', '')).toMatch(/^2025-12-31 23:59:59,999 /);
  });

  test.each<LogLevel>(['DEBUG', 'INFO', 'WARNING', 'ERROR'])('level %s', (level) => {
    expect(formatAt(new Date(0))(level, 'x')).toMatch(new RegExp(` - worker - ${level} - \\[worker-1\\] - x$`));
  });

  test('a stack is one line with \\n in it', () => {
    expect(formatAt(new Date(0))('ERROR', 'Error: no\n    at a\r\n    at b')).toMatch(
      /\[worker-1\] - Error: no\\n {4}at a\\n {4}at b$/,
    );
  });

  test('nothing in a text can forge a line or reach the terminal', () => {
    const text =
      'id\r\n2025-01-15 10:30:45,123 - worker - INFO - [worker-1] - forged\u001b[31m\u009b2J\u0085\u2028\u2029\u202e\0';
    const line = formatAt(new Date(0))('INFO', text);
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(line).toContain('forged\\x1b[31m');
  });

  test('a long text is cut', () => {
    expect(formatAt(new Date(0))('INFO', 'x'.repeat(1_000_000)).length).toBeLessThan(16_500);
  });
});

describe('json', () => {
  test('one object with the fields machines ask for', () => {
    const line = formatAt(new Date(Date.UTC(2025, 0, 15, 10, 30, 45, 7)), 'json')('WARNING', 'a "quoted" text');
    expect(JSON.parse(line)).toEqual({
      timestamp: '2025-01-15T10:30:45.007Z',
      level: 'WARNING',
      logger: 'worker',
      worker_id: 'worker-1',
      message: 'a "quoted" text',
    });
  });

  test('control characters are escaped and come back from the parser', () => {
    const text = 'a\r\nb\u001b[31m\u009b\u2028\u202e\u{e0001}c';
    const line = formatAt(new Date(0), 'json')('INFO', text);
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(line)).toMatchObject({ message: text });
  });

  test('a long text is cut', () => {
    expect(formatAt(new Date(0), 'json')('INFO', 'x'.repeat(1_000_000)).length).toBeLessThan(16_600);
  });
});

test('localDate is the local calendar day', () => {
  expect(localDate(new Date(2025, 0, 5, 0, 0, 0, 0).getTime())).toBe('2025-01-05');
  expect(localDate(new Date(2025, 0, 5, 23, 59, 59, 999).getTime())).toBe('2025-01-05');
});
