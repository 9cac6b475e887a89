/**
 * Whether a supervisor of this instance runs, known by what dies with it, not by a file that anybody can delete nor by a
 * number that another program may have by now.
 *
 *   lock     on Linux a socket without a file (its name begins with a zero byte): the kernel gives it to one process and
 *            takes it back when that ends, however it ends. It answers with the pid. Every user of the host may take the
 *            name, so it counts only if one of our own has it (lock-holder.ts).
 *   answer   of the control socket: for other systems, another network namespace over the same folder, and earlier builds.
 */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer, type Server } from 'node:net';

import { ROUTES } from '../admin/protocol.js';
import { lockHolder } from './lock-holder.js';

const ANSWER_MS = 1_000;
const LONGEST_ANSWER = 65_536;
const MOST_ASKING = 16;
/** Errors of one who is there, or may be; any other says that nobody could be asked. */
const SOMEBODY = new Set(['ECONNRESET', 'EAGAIN', 'EACCES', 'EPERM', 'ETIMEDOUT', 'EPIPE']);

/** A pid; `silent` = somebody is there and does not answer, as when he is stopped; undefined = nobody. */
type Holder = number | 'silent' | undefined;

export class InstanceLock {
  static readonly isPossible = process.platform === 'linux';
  #server: Server | undefined;

  /** Takes it, unless another has it: then resolves to who. `folder` must exist. */
  async take(folder: string, port: number): Promise<Holder> {
    if (!InstanceLock.isPossible) return undefined;
    const path = nameOf(folder, port);
    // any user may connect: whoever says something, or does not go, must cost no file descriptor
    const server = createServer((socket) => {
      socket.on('error', () => undefined).setTimeout(ANSWER_MS, () => socket.destroy());
      socket.resume().end(`${process.pid}\n`);
    });
    server.maxConnections = MOST_ASKING;
    try {
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return whoHas(path);
      return undefined; // no such sockets here; the control socket has to do
    }
    server.on('error', () => undefined).unref();
    this.#server = server;
    return undefined;
  }

  /** Synchronous: the name is free when it returns. */
  release(): void {
    this.#server?.close();
    this.#server = undefined;
  }
}

function nameOf(folder: string, port: number): string {
  const digest = createHash('sha1').update(realpathSync(folder)).digest('hex');
  return `\0message-broker-worker/${process.getuid?.() ?? 0}/${digest}/${port}`;
}

/** Undefined = only somebody else's program, which keeps nobody from starting: the control socket has to do. */
async function whoHas(path: string): Promise<Holder> {
  const holder = lockHolder(path);
  if (holder === 'stranger') return undefined;
  return holder === 'hidden' ? ((await pidAt(path)) ?? 'silent') : holder;
}

/** Undefined = no answer. */
function pidAt(path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ path, timeout: ANSWER_MS }).setEncoding('utf8');
    const end = (): void => {
      socket.destroy();
      const pid = Number(text);
      resolve(Number.isInteger(pid) && pid > 0 ? pid : undefined);
    };
    socket.on('data', (part: string) => (text += part));
    socket.on('end', end).on('error', end).on('timeout', end);
  });
}

/** Who answers on the control socket of the instance. */
export function whoAnswers(socketPath: string): Promise<Holder> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: ROUTES.health.path, timeout: ANSWER_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('error', () => resolve('silent'));
      response.on('data', (part: string) => (text = `${text}${part}`.slice(0, LONGEST_ANSWER)));
      response.on('end', () => resolve(pidIn(text) ?? 'silent'));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', ({ code }: NodeJS.ErrnoException) => resolve(SOMEBODY.has(code ?? '') ? 'silent' : undefined));
    asked.end();
  });
}

function pidIn(health: string): number | undefined {
  try {
    const { supervisor } = JSON.parse(health) as { readonly supervisor?: { readonly pid?: unknown } };
    return typeof supervisor?.pid === 'number' ? supervisor.pid : undefined;
  } catch {
    return undefined;
  }
}
