import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { ServiceNotifier } from '../../../../supervisor/primary/sd-notify.js';
import { VirtualClock } from '../../../support/virtual-clock.js';
import { waitFor } from '../../../support/wait-for.js';
import { recordedLog, type RecordedLog } from '../recorded-log.js';

let folder: string;
let path: string | undefined;
beforeEach(async () => {
  path = process.env['PATH'];
  folder = await mkdtemp(join(tmpdir(), 'sd-notify-'));
});
afterEach(async () => {
  process.env['PATH'] = path;
  await rm(folder, { recursive: true });
});

function notifier(environment: NodeJS.ProcessEnv): { log: RecordedLog; clock: VirtualClock; made: ServiceNotifier } {
  const log = recordedLog();
  const clock = new VirtualClock();
  return { log, clock, made: new ServiceNotifier({ environment, log, clock }) };
}

/** Puts a systemd-notify on the PATH that writes down what it is told; returns what it was told so far, a line a call. */
async function recordingSystemd(): Promise<() => Promise<string[]>> {
  const told = join(folder, 'told');
  await writeFile(told, '');
  await writeFile(join(folder, 'systemd-notify'), `#!/bin/sh\necho "$NOTIFY_SOCKET" "$@" >> ${told}\n`);
  await chmod(join(folder, 'systemd-notify'), 0o755);
  process.env['PATH'] = [folder, path].join(delimiter);
  return async () => (await readFile(told, 'utf8')).split('\n').filter(Boolean);
}

test('without a socket nothing is sent', async () => {
  const { made, log } = notifier({});
  made.round('running', 'all ready');
  await made.stop();
  expect(log.lines).toEqual([]);
});

test('a socket that nobody listens on is one warning', async () => {
  const { made, log } = notifier({ NOTIFY_SOCKET: '/nonexistent/notify' });
  made.round('running', '1 of 3');
  made.round('running', '2 of 3');
  await made.stop();
  expect(log.lines).toEqual([expect.stringContaining('WARNING: systemd could not be told')]);
});

test('only what changed is told, in order', async () => {
  const told = await recordingSystemd();
  const { made } = notifier({ NOTIFY_SOCKET: '/run/notify' });
  made.round('starting', '0 of 2');
  made.round('running', '1 of 2');
  made.round('running', '1 of 2');
  made.round('running', '2 of 2');
  made.round('reloading', '1 of 2');
  made.round('reloading', '2 of 2');
  made.round('running', '2 of 2');
  made.round('stopping', '0 of 2');
  await made.stop();
  expect(await told()).toEqual([
    '/run/notify READY=1 STATUS=1 of 2',
    '/run/notify STATUS=2 of 2',
    expect.stringMatching(/^\/run\/notify RELOADING=1 MONOTONIC_USEC=\d+ STATUS=Reloading$/),
    '/run/notify READY=1 STATUS=2 of 2',
    '/run/notify STOPPING=1 STATUS=Stopping',
  ]);
});

test('the watchdog is pinged three times in its time, and only while the loop turns', async () => {
  const told = await recordingSystemd();
  const { made, clock } = notifier({ NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '9000000' });
  made.start();
  clock.pass(3_000);
  made.round('starting', '');
  clock.pass(3_000);
  await waitFor(async () => (await told()).length === 1, { what: 'the ping' });
  clock.pass(3_000);
  clock.pass(3_000);
  await made.stop();
  expect(await told()).toEqual(['/run/notify WATCHDOG=1']);
});

test.each([
  { environment: {}, waits: false },
  { environment: { WATCHDOG_USEC: '9000000', WATCHDOG_PID: '1' }, waits: false },
  { environment: { WATCHDOG_USEC: '9000000', WATCHDOG_PID: String(process.pid) }, waits: true },
])('the watchdog is pinged only when it waits for us: $environment', async ({ environment, waits }) => {
  const { made, clock } = notifier(environment);
  made.start();
  expect(clock.pending).toBe(waits ? 1 : 0);
  await made.stop();
  expect(clock.pending).toBe(0);
});
