import { expect, test } from 'vitest';

import { createServiceNotifier, watchdogIntervalMs } from '../../../../supervisor/primary/sd-notify.js';

function notifier(environment: NodeJS.ProcessEnv): {
  warnings: string[];
  made: ReturnType<typeof createServiceNotifier>;
} {
  const warnings: string[] = [];
  const none = (): void => undefined;
  const warn = (text: string): void => void warnings.push(text);
  return { warnings, made: createServiceNotifier(environment, { debug: none, info: none, warn, error: none }) };
}

test('without a socket nothing is sent', async () => {
  const { made, warnings } = notifier({});
  made.changed('running', 'all ready');
  await made.close();
  expect(warnings).toEqual([]);
});

test('a socket that nobody listens on is one warning', async () => {
  const { made, warnings } = notifier({ NOTIFY_SOCKET: '/nonexistent/notify' });
  made.changed('running', 'all ready');
  made.status('2 of 3');
  await made.close();
  expect(warnings).toEqual([expect.stringContaining('systemd could not be told')]);
});

test('the watchdog is pinged three times in its time, and only when it waits for us', () => {
  expect(watchdogIntervalMs({ WATCHDOG_USEC: '30000000' })).toBe(10_000);
  expect(watchdogIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: String(process.pid) })).toBe(10_000);
  expect(watchdogIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' })).toBeUndefined();
  expect(watchdogIntervalMs({})).toBeUndefined();
});
