/**
 * A private redis-server on 127.0.0.1: own folder, own port, no snapshots. For the quickstart, the benchmark and the tests.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { findRedis } from './find-redis.js';

export interface RedisOptions {
  /** Where its files go; default a new temporary folder, removed by `stop()`. */
  readonly directory?: string;
  readonly appendonly?: boolean;
  /** More arguments of redis-server, after ours. */
  readonly args?: readonly string[];
  /** Default: any free port. */
  readonly port?: number;
  /** Default: what find-redis.ts finds (without installing anything). */
  readonly binary?: string;
  /** A process group of its own: Ctrl-C in a terminal ends whoever has the server, not the server itself. Default false. */
  readonly ownGroup?: boolean;
}

export interface RedisProcess {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly directory: string;
  /** Of the running server; changes with `restart()`. */
  readonly pid: number;
  /** SIGTERM, SIGKILL after 5 s; removes the folder if it was ours. Safe to call twice. */
  stop(): Promise<void>;
  /** SIGKILL, as a power cut would. `restart()` brings it back. */
  kill(): Promise<void>;
  /** SIGSTOP: the sockets stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Ends the server if it runs and starts it again: same port, same folder. */
  restart(): Promise<void>;
}

const HOST = '127.0.0.1';
const START_DEADLINE_MS = 10_000;
const STOP_DEADLINE_MS = 5_000;
const PORT_TRIES = 5;

export async function startRedis(options: RedisOptions = {}): Promise<RedisProcess> {
  const binary = options.binary ?? (await findRedis({ install: false })).path;
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'redis-')));
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const args = serverArguments(options, port, directory);
    const launch = () => launchServer({ binary, args, port, ownGroup: options.ownGroup ?? false });
    try {
      return controlled(await launch(), { launch, port, directory, ownsDirectory: options.directory === undefined });
    } catch (error) {
      const raced = options.port === undefined && error instanceof PortTakenError;
      if (!raced || attempt === PORT_TRIES) throw error;
    }
  }
}

class PortTakenError extends Error {}

interface Server {
  readonly launch: () => Promise<ChildProcess>;
  readonly port: number;
  readonly directory: string;
  readonly ownsDirectory: boolean;
}

function controlled(first: ChildProcess, server: Server): RedisProcess {
  let child = first;
  return {
    host: HOST,
    port: server.port,
    directory: server.directory,
    get pid() {
      return child.pid ?? 0;
    },
    async stop() {
      await terminate(child);
      if (server.ownsDirectory) await rm(server.directory, { recursive: true, force: true });
    },
    kill: () => endWith(child, 'SIGKILL'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async restart() {
      await terminate(child);
      child = await server.launch();
    },
  };
}

function serverArguments(options: RedisOptions, port: number, directory: string): string[] {
  const own = ['--port', String(port), '--bind', HOST, '--dir', directory, '--save', ''];
  return [...own, '--appendonly', options.appendonly ? 'yes' : 'no', ...(options.args ?? [])];
}

interface Launch {
  readonly binary: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly ownGroup: boolean;
}

async function launchServer({ binary, args, port, ownGroup }: Launch): Promise<ChildProcess> {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: ownGroup });
  endWithUs(child);
  let output = '';
  const collect = (chunk: Buffer) => void (output = (output + chunk.toString()).slice(-4_096));
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  const deadline = performance.now() + START_DEADLINE_MS;
  while (!(await answersPing(port, child))) {
    if (failure) throw failure;
    if (hasExited(child)) {
      await sleep(20); // the last lines of its output
      if (/Address already in use|bind: /i.test(output)) throw new PortTakenError(`Port ${port} is taken`);
      throw new Error(`${binary} ended at start: ${output.trim()}`);
    }
    if (performance.now() > deadline) {
      await endWith(child, 'SIGKILL');
      throw new Error(`${binary} did not answer on port ${port} within ${START_DEADLINE_MS} ms: ${output.trim()}`);
    }
    await sleep(10);
  }
  return child;
}

/** One PING over a raw socket. +PONG, -NOAUTH and -NOPERM all say: it serves. -LOADING does not. */
function answersPing(port: number, child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: HOST, timeout: 500 });
    const finish = (answered: boolean) => {
      socket.destroy();
      resolve(answered && !hasExited(child));
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => finish(/^(\+PONG|-NOAUTH|-NOPERM)/.test(data.toString())));
    socket.once('error', () => finish(false));
    socket.once('timeout', () => finish(false));
    socket.once('close', () => finish(false));
  });
}

async function terminate(child: ChildProcess): Promise<void> {
  if (hasExited(child)) return;
  child.kill('SIGCONT'); // a frozen process takes no SIGTERM
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  await endWith(child, 'SIGTERM');
  clearTimeout(killer);
}

async function endWith(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasExited(child)) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

const running = new Set<ChildProcess>();

/** A server must not outlive the process that started it. One listener for all of them. */
function endWithUs(child: ChildProcess): void {
  if (running.size === 0) process.once('exit', killRunning);
  running.add(child);
  child.once('exit', () => {
    running.delete(child);
    if (running.size === 0) process.off('exit', killRunning);
  });
}

function killRunning(): void {
  for (const child of running) child.kill('SIGKILL');
}
