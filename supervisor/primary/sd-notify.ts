/**
 * Tells systemd how we are, when it asked to be told (NOTIFY_SOCKET).
 *
 * Node has no datagram unix sockets, so systemd's own `systemd-notify` sends the message: about 22 ms each, so only at
 * changes. The unit needs `NotifyAccess=all`, since the message comes from a child of ours. A notification that fails is a
 * warning: the service works without.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { reasonOf } from '../../src/shared/errors.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { SupervisorState } from '../status/status-document.js';

export interface ServiceNotifier {
  /** The supervisor entered `state`. */
  changed(state: SupervisorState, status: string): void;
  status(text: string): void;
  /** Starts the watchdog's pings, when systemd wants them; each only if `isAlive` says so. */
  watch(isAlive: () => boolean): void;
  /** Resolves when what was said before has been sent. */
  close(): Promise<void>;
}

const SEND_TIMEOUT_MS = 5_000;
/** systemd kills after the whole time; a third of it leaves room for two lost pings. */
const PINGS_PER_WATCHDOG_TIME = 3;

export function createServiceNotifier(environment: NodeJS.ProcessEnv, log: Log): ServiceNotifier {
  const socket = environment['NOTIFY_SOCKET'];
  let queue: Promise<void> = Promise.resolve();
  let warned = false;
  let timer: NodeJS.Timeout | undefined;

  function say(...lines: string[]): void {
    if (socket === undefined || socket === '') return;
    queue = queue
      .then(() => send(socket, lines))
      .catch((error: unknown) => {
        if (!warned) log.warn(`systemd could not be told about our state: ${reasonOf(error)}`);
        warned = true;
      });
  }

  return {
    changed(state, status) {
      if (state === 'running') say('READY=1', `STATUS=${status}`);
      if (state === 'reloading') say('RELOADING=1', `MONOTONIC_USEC=${monotonicMicroseconds()}`, 'STATUS=Reloading');
      if (state === 'stopping') say('STOPPING=1', 'STATUS=Stopping');
    },
    status: (text) => say(`STATUS=${text}`),
    watch(isAlive) {
      const intervalMs = watchdogIntervalMs(environment);
      if (intervalMs === undefined || timer) return;
      timer = setInterval(() => isAlive() && say('WATCHDOG=1'), intervalMs);
    },
    async close() {
      clearInterval(timer);
      await queue;
    },
  };
}

/** systemd compares it with CLOCK_MONOTONIC, which is what hrtime reads on Linux. */
function monotonicMicroseconds(): bigint {
  return process.hrtime.bigint() / 1000n;
}

/** Undefined when no watchdog waits for this process. */
export function watchdogIntervalMs(environment: NodeJS.ProcessEnv): number | undefined {
  const time = Number(environment['WATCHDOG_USEC']);
  const pid = environment['WATCHDOG_PID'];
  if (!(time > 0) || (pid !== undefined && pid !== String(process.pid))) return undefined;
  return time / 1000 / PINGS_PER_WATCHDOG_TIME;
}

async function send(socket: string, lines: string[]): Promise<void> {
  const env = { NOTIFY_SOCKET: socket, PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
  await promisify(execFile)('systemd-notify', lines, { env, timeout: SEND_TIMEOUT_MS });
}
