/**
 * A private redis-server on 127.0.0.1: own folder, own port, no snapshots. For the quickstart, the benchmark and the tests.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Life } from '../../src/shared/life.js';
import { endWith, terminate } from './child-process.js';
import { findRedis } from './find-redis.js';
import { freePort } from './free-port.js';
import { HOST, launchRedis, PortTakenError } from './redis-launch.js';

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

const PORT_TRIES = 5;

/** One that runs. What a start that failed has left behind is gone. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisProcess> {
  const redis = new RedisProcess(options);
  try {
    await redis.start();
  } catch (error) {
    await redis.stop();
    throw error;
  }
  return redis;
}

interface Running {
  /** Changes with `restart()`. */
  readonly child: ChildProcess;
  readonly binary: string;
  readonly port: number;
}

export class RedisProcess implements Life {
  readonly host = HOST;
  readonly #options: RedisOptions;
  #running: Running | undefined;
  #directory: string | undefined;
  /** The start, or the restart, that is under way or was the last. */
  #launching: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: RedisOptions) {
    this.#options = options;
    this.#directory = options.directory;
  }

  get port(): number {
    return this.#started().port;
  }

  get directory(): string {
    return this.#directory ?? '';
  }

  /** Of the running server; changes with `restart()`. */
  get pid(): number {
    return this.#started().child.pid ?? 0;
  }

  /** @throws ProgramMissingError, or an Error with what the server said at its end */
  start(): Promise<void> {
    if (this.#stopping) return Promise.resolve();
    return (this.#launching ??= this.#launchSomewhere());
  }

  /** SIGTERM, SIGKILL after 5 s; removes the folder if it was ours. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#end());
  }

  /** SIGKILL, as a power cut would. `restart()` brings it back. */
  kill(): Promise<void> {
    return endWith(this.#started().child, 'SIGKILL');
  }

  /** SIGSTOP: the sockets stay open and nothing answers. */
  freeze(): void {
    this.#started().child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#started().child.kill('SIGCONT');
  }

  /** Ends the server if it runs and starts it again: same port, same folder. */
  restart(): Promise<void> {
    if (this.#stopping) return this.#stopping;
    return (this.#launching = this.#launchAgain(this.#started()));
  }

  #started(): Running {
    if (!this.#running) throw new Error('This redis-server was not started.');
    return this.#running;
  }

  async #launchSomewhere(): Promise<void> {
    const binary = this.#options.binary ?? (await findRedis({ install: false })).path;
    this.#directory ??= await mkdtemp(join(tmpdir(), 'redis-'));
    for (let attempt = 1; ; attempt++) {
      const port = this.#options.port ?? (await freePort());
      try {
        this.#running = { child: await this.#launch(binary, port), binary, port };
        return;
      } catch (error) {
        const raced = this.#options.port === undefined && error instanceof PortTakenError;
        if (!raced || attempt === PORT_TRIES) throw error;
      }
    }
  }

  async #launchAgain({ child, binary, port }: Running): Promise<void> {
    await end(child);
    this.#running = { child: await this.#launch(binary, port), binary, port };
  }

  #launch(binary: string, port: number): Promise<ChildProcess> {
    const { appendonly = false, args = [], ownGroup = false } = this.#options;
    const own = ['--port', String(port), '--bind', HOST, '--dir', this.directory, '--save', ''];
    const all = [...own, '--appendonly', appendonly ? 'yes' : 'no', ...args];
    return launchRedis({ binary, args: all, port, ownGroup });
  }

  async #end(): Promise<void> {
    await this.#launching?.catch(() => undefined); // whoever started it is told
    if (this.#running) await end(this.#running.child);
    const isOurs = this.#options.directory === undefined && this.#directory !== undefined;
    if (isOurs) await rm(this.directory, { recursive: true, force: true });
  }
}

/** A frozen process takes no SIGTERM. Windows knows no SIGCONT. */
async function end(child: ChildProcess): Promise<void> {
  if (process.platform !== 'win32') child.kill('SIGCONT');
  await terminate(child);
}
