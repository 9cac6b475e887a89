/**
 * The same routes on a unix socket (a named pipe on Windows). Its mode, 0600 in a folder of mode 0700, is the access rule,
 * so no token is asked for.
 *
 * A socket file that a killed supervisor left behind is in the way of the next one. It is removed only when nothing
 * answers on it; that no other supervisor of this instance runs is what the pidfile has already made sure of.
 */
import { lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';

import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import { createFront } from './front.js';
import { Listener } from './listener.js';
import { operatorOverSocket } from './request.js';
import type { Route } from './route.js';

/** sun_path has room for 108 bytes on Linux and 104 on macOS, the closing zero included. */
const LONGEST_PATH = process.platform === 'darwin' ? 103 : 107;
const ANSWER_MS = 500;
/** Whoever may open it may stop the supervisor: this is against accidents. */
const LIMITS = { perPeer: 100, inAll: 100, perSecond: 1_000 };

interface ControlSocketOptions {
  /** As controlSocketPath has it. */
  readonly path: string;
  readonly routes: readonly Route[];
  readonly log: Log;
  readonly clock: Clock;
}

export function createControlSocket({ path, routes, log, clock }: ControlSocketOptions): Listener {
  const rules = { check: () => undefined, operatorOf: operatorOverSocket, limits: LIMITS, pageEveryMs: 0 };
  const server = createFront({ ...rules, routes, log, clock });
  let ours: number | undefined;
  return new Listener({
    server,
    prepare: () => removeIfDead(path),
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
    onListening: () => {
      ours = numberOf(path);
      log.debug(`Control socket: ${path}`);
    },
    ...(process.platform === 'win32' ? {} : { isThere: () => numberOf(path) === ours }),
    trouble: (error) =>
      `The control socket ${path} cannot be opened (${error.message}); status, reload and stop do not work.`,
    log,
    clock,
  });
}

/** Of the file; undefined when there is none, or something else. */
function numberOf(path: string): number | undefined {
  try {
    const file = lstatSync(path);
    return file.isSocket() ? file.ino : undefined;
  } catch {
    return undefined;
  }
}

/** Rejects when it may not be removed. */
async function removeIfDead(path: string): Promise<void> {
  if (process.platform === 'win32') return;
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
