/**
 * The same routes on a unix socket beside the pidfile (a named pipe on Windows). Its mode, 0600 in a folder of mode 0700,
 * is the access rule, so no token is asked for.
 *
 * A socket file that a killed supervisor left behind is in the way of the next one. It is removed only when nothing
 * answers on it; that no other supervisor of this instance runs is what the pidfile has already made sure of.
 */
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import type { Config } from '../../src/shared/config/config.js';
import type { Log } from '../../src/shared/logger/log.js';
import { createFront } from './front.js';
import type { Route } from './route.js';
import { createListener, type Listener } from './listener.js';

/** sun_path has room for 108 bytes on Linux and 104 on macOS, the closing zero included. */
const LONGEST_PATH = process.platform === 'darwin' ? 103 : 107;
const ANSWER_MS = 500;

export function controlSocketPath({ runtimeDir, port }: Pick<Config['supervisor'], 'runtimeDir' | 'port'>): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\message-broker-worker-${port}`;
  return join(runtimeDir, `supervisor-${port}.sock`);
}

export interface ControlSocketParams {
  readonly path: string;
  readonly routes: readonly Route[];
  readonly log: Log;
}

export function createControlSocket({ path, routes, log }: ControlSocketParams): Listener {
  const server = createFront({ routes, check: () => undefined, log });
  const listener = createListener({
    server,
    listen: () => {
      // Libuv cuts a longer path silently, and two instances would meet at the same half name.
      if (Buffer.byteLength(path) > LONGEST_PATH) {
        throw new Error(`the path is longer than ${LONGEST_PATH} bytes, choose a shorter SUPERVISOR_RUNTIME_DIR`);
      }
      const before = process.umask(0o177);
      try {
        server.listen(path); // binds before it returns
      } finally {
        process.umask(before);
      }
    },
    onListening: () => log.debug(`Control socket: ${path}`),
    trouble: (error) =>
      `The control socket ${path} cannot be opened (${error.message}); status, reload and stop do not work.`,
    log,
  });
  return {
    ...listener,
    start: () => {
      if (process.platform === 'win32') return listener.start();
      void removeIfDead(path).then(() => listener.start());
    },
  };
}

/** Never rejects. */
async function removeIfDead(path: string): Promise<void> {
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect({ path, timeout: ANSWER_MS });
    const finish = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => finish(true));
    // a full backlog: somebody is there
    socket.once('timeout', () => finish(true));
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code !== 'ECONNREFUSED'));
  });
  if (!answers) rmSync(path, { force: true });
}
