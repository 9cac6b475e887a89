import type { Server } from 'node:http';

import type { Log } from '../../src/shared/logger/log.js';

export interface ListenerParams {
  readonly server: Server;
  /** May throw: that is like an 'error' event. */
  readonly listen: () => void;
  readonly onListening: () => void;
  /** A sentence for the operator. */
  readonly trouble: (error: NodeJS.ErrnoException) => string;
  readonly log: Log;
}

export interface Listener {
  start(): void;
  stop(): Promise<void>;
  /** Why nobody can reach us; undefined while we listen. */
  trouble(): string | undefined;
}

const RETRY_MS = 5_000;

/** Listens, and when that fails says so once and tries again every 5 s. */
export function createListener({ server, listen, onListening, trouble, log }: ListenerParams): Listener {
  let retry: NodeJS.Timeout | undefined;
  let current: string | undefined = 'it has not been started';
  let stopped = false;

  const failed = (error: NodeJS.ErrnoException): void => {
    const sentence = trouble(error);
    if (sentence !== current) log.error(`${sentence} Delivery goes on; trying again every ${RETRY_MS / 1000} s.`);
    current = sentence;
    if (!stopped) retry = setTimeout(start, RETRY_MS);
  };
  server.on('listening', () => {
    current = undefined;
    onListening();
  });
  server.on('error', failed);

  function start(): void {
    if (stopped) return;
    try {
      listen();
    } catch (error) {
      failed(error as NodeJS.ErrnoException);
    }
  }

  return {
    start,
    trouble: () => current,
    async stop() {
      stopped = true;
      clearTimeout(retry);
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
