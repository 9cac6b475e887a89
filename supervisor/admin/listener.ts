import type { Server } from 'node:http';

import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock, Timer } from '../../src/shared/time/clock.js';

interface ListenerOptions {
  readonly server: Server;
  /** Comes before each try, and may reject. */
  readonly prepare?: () => Promise<void>;
  /** May throw. */
  readonly listen: () => void;
  readonly onListening: () => void;
  /** Whether we can still be reached, where that may end without a word; looked at each second. */
  readonly isThere?: () => boolean;
  /** A sentence for the operator. */
  readonly trouble: (error: NodeJS.ErrnoException) => string;
  readonly log: Log;
  readonly clock: Clock;
}

const RETRY_MS = 5_000;
const LOOK_EVERY_MS = 1_000;

/** Listens, and when that fails says so once and tries again every 5 s. */
export class Listener implements Life {
  readonly #options: ListenerOptions;
  #attempt: Promise<void> | undefined;
  #retry: Timer | undefined;
  #watch: Timer | undefined;
  #trouble: string | undefined = 'it has not been started';
  #stopping: Promise<void> | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    // as when accepting fails for want of file descriptors
    options.server.on('error', (error) => {
      if (options.server.listening) this.#failed(error);
    });
  }

  /** Why nobody can reach us; undefined while we listen. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  start(): void {
    this.#attempt ??= this.#try();
    const { isThere, clock } = this.#options;
    if (isThere && !this.#stopping)
      this.#watch ??= clock.every(LOOK_EVERY_MS, () => this.#listenAgainUnless(isThere()));
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#close());
  }

  async #try(): Promise<void> {
    const { server, prepare, listen, onListening } = this.#options;
    try {
      await prepare?.();
      if (this.#stopping) return;
      if (!server.listening) await listening(server, listen);
    } catch (error) {
      return this.#failed(error as NodeJS.ErrnoException);
    }
    this.#trouble = undefined;
    onListening();
  }

  /** Connections that are open go on. */
  #listenAgainUnless(isThere: boolean): void {
    const { server, log } = this.#options;
    if (isThere || !server.listening || this.#stopping) return;
    log.warn('The control socket was gone or another; it is made again.');
    server.close();
    this.#attempt = this.#try();
  }

  #failed(error: NodeJS.ErrnoException): void {
    const { trouble, log, clock } = this.#options;
    const sentence = trouble(error);
    if (sentence !== this.#trouble) log.error(`${sentence} Delivery goes on; trying again every ${RETRY_MS / 1000} s.`);
    this.#trouble = sentence;
    if (this.#stopping) return;
    this.#retry?.cancel();
    this.#retry = clock.after(RETRY_MS, () => {
      this.#attempt = this.#try();
    });
  }

  async #close(): Promise<void> {
    const { server } = this.#options;
    this.#retry?.cancel();
    this.#watch?.cancel();
    await this.#attempt;
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }
}

/** Rejects with what keeps it from listening. */
function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      server.off('listening', settle).off('error', settle);
      if (error) reject(error);
      else resolve();
    };
    server.on('listening', settle).on('error', settle);
    try {
      listen();
    } catch (error) {
      settle(error as Error);
    }
  });
}
