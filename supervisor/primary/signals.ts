import { constants } from 'node:os';

import type { Life } from '../../src/shared/life.js';
import type { Clock } from '../../src/shared/time/clock.js';

type SignalAction = 'stop' | 'reload' | 'one-more' | 'one-fewer' | 'dump';

/** What each signal asks for. SIGQUIT keeps its meaning (core dump), SIGUSR1 does nothing (cli.ts). */
const ACTIONS: Readonly<Partial<Record<NodeJS.Signals, SignalAction>>> = {
  SIGTERM: 'stop',
  SIGINT: 'stop',
  SIGHUP: 'reload',
  SIGTTIN: 'one-more',
  SIGTTOU: 'one-fewer',
  SIGUSR2: 'dump',
};

/** Windows has only these two; the rest goes over the control socket there. */
const ON_WINDOWS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];

/**
 * One Ctrl-C reaches the whole terminal group and comes a second time from npm when that started us: SIGINTs this close
 * together are one wish. SIGTERM is sent by programs and counted as it comes.
 */
const SAME_CTRL_C_MS = 500;

export interface ReceivedSignal {
  readonly number: number;
  readonly action: SignalAction;
}

/** Handlers only record; the reconcile loop takes what came and acts. */
export class SignalInbox implements Life {
  readonly #clock: Clock;
  readonly #ring: () => void;
  readonly #received: ReceivedSignal[] = [];
  readonly #handlers = new Map<NodeJS.Signals, () => void>();
  #lastInterrupt = -Infinity;
  #stopped = false;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  start(): void {
    if (this.#stopped || this.#handlers.size > 0) return;
    for (const [name, action] of Object.entries(ACTIONS) as [NodeJS.Signals, SignalAction][]) {
      if (process.platform === 'win32' && !ON_WINDOWS.includes(name)) continue;
      const handler = (): void => this.#record(name, action);
      this.#handlers.set(name, handler);
      process.on(name, handler);
    }
  }

  take(): ReceivedSignal[] {
    return this.#received.splice(0);
  }

  /** From now on signals do what they do by default. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const [name, handler] of this.#handlers) process.off(name, handler);
    this.#handlers.clear();
  }

  #record(name: NodeJS.Signals, action: SignalAction): void {
    if (name === 'SIGINT') {
      const isEcho = this.#clock.now() - this.#lastInterrupt < SAME_CTRL_C_MS;
      if (isEcho) return;
      this.#lastInterrupt = this.#clock.now();
    }
    this.#received.push({ number: constants.signals[name], action });
    this.#ring();
  }
}
