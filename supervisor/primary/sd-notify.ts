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
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock, Timer } from '../../src/shared/time/clock.js';
import type { SupervisorState } from '../status/status-document.js';

interface ServiceNotifierOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly clock: Clock;
}

const SEND_TIMEOUT_MS = 5_000;
/** systemd kills after the whole time; a third of it leaves room for two lost pings. */
const PINGS_PER_WATCHDOG_TIME = 3;
/** systemd's watchdog gets its ping while the reconcile loop has turned within this time. */
const ALIVE_MS = 5_000;

export class ServiceNotifier implements Life {
  readonly #options: ServiceNotifierOptions;
  #told: { readonly state: SupervisorState; readonly text: string } = { state: 'starting', text: '' };
  #lastRoundAt = -Infinity;
  #timer: Timer | undefined;
  #sent: Promise<void> = Promise.resolve();
  #warned = false;
  #stopped = false;

  constructor(options: ServiceNotifierOptions) {
    this.#options = options;
  }

  /** Pings the watchdog from now on, when systemd has one for us. */
  start(): void {
    const { clock, environment } = this.#options;
    const intervalMs = watchdogIntervalMs(environment);
    if (intervalMs === undefined || this.#stopped) return;
    this.#timer ??= clock.every(intervalMs, () => {
      if (clock.now() - this.#lastRoundAt < ALIVE_MS) this.#say('WATCHDOG=1');
    });
  }

  /** Resolves when what was said before has been sent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#sent;
  }

  /** The reconcile loop has turned; says what is new. `text` is what `systemctl status` shows while we run. */
  round(state: SupervisorState, text: string): void {
    this.#lastRoundAt = this.#options.clock.now();
    if (state !== this.#told.state) this.#entered(state, text);
    else if (state === 'running' && text !== this.#told.text) this.#say(`STATUS=${text}`);
    this.#told = { state, text };
  }

  #entered(state: SupervisorState, text: string): void {
    if (state === 'running') this.#say('READY=1', `STATUS=${text}`);
    if (state === 'reloading')
      this.#say('RELOADING=1', `MONOTONIC_USEC=${monotonicMicroseconds()}`, 'STATUS=Reloading');
    if (state === 'stopping') this.#say('STOPPING=1', 'STATUS=Stopping');
  }

  #say(...lines: string[]): void {
    const socket = this.#options.environment['NOTIFY_SOCKET'];
    if (socket === undefined || socket === '' || this.#stopped) return;
    this.#sent = this.#sent
      .then(() => send(socket, lines))
      .catch((error: unknown) => {
        if (!this.#warned) this.#options.log.warn(`systemd could not be told about our state: ${reasonOf(error)}`);
        this.#warned = true;
      });
  }
}

/** systemd compares it with CLOCK_MONOTONIC, which is what hrtime reads on Linux and our Clock does not. */
function monotonicMicroseconds(): bigint {
  return process.hrtime.bigint() / 1000n;
}

/** Undefined when no watchdog waits for this process. */
function watchdogIntervalMs(environment: NodeJS.ProcessEnv): number | undefined {
  const time = Number(environment['WATCHDOG_USEC']);
  const pid = environment['WATCHDOG_PID'];
  if (!(time > 0) || (pid !== undefined && pid !== String(process.pid))) return undefined;
  return time / 1000 / PINGS_PER_WATCHDOG_TIME;
}

async function send(socket: string, lines: string[]): Promise<void> {
  const env = { NOTIFY_SOCKET: socket, PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
  await promisify(execFile)('systemd-notify', lines, { env, timeout: SEND_TIMEOUT_MS });
}
