/**
 * What each row plays on: a Redis, a main server that asks for client certificates, and the built program, all its own.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { startMainServer, type DevMainServer } from '../../../scripts/main-server/server.js';
import { startRedis, type RedisOptions, type RedisProcess } from '../../../scripts/local/redis-process.js';
import { redisKeys } from '../../../src/queue/keys.js';
import type { CertificateFiles } from '../../../supervisor/certificates/certificates.js';
import { RunningFleet, type Fleet, type Settings } from '../../support/program/fleet.js';
import { freePort, freePorts } from '../../support/free-port.js';
import { createMessageLedger, type MessageLedger } from '../../support/ledger.js';
import { pemsOf } from '../../support/main-server/main-server.js';
import { makeCertificates } from '../../support/main-server/pki.js';
import type { Program } from '../../support/program/program.js';
import { QUEUE } from '../../support/redis/queue.js';
import { plainClient } from '../../support/redis/redis.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';

interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** .env and certificates are written, nothing is started. */
  readonly prepareOnly?: boolean;
}

interface Load {
  /** Resolves when the last message is in Redis. */
  stop(): Promise<void>;
}

const LOAD_STEP_MS = 20;

export class Stage {
  readonly #seen: { client: Redis };
  readonly keys = redisKeys(QUEUE);
  readonly problems: string[] = [];
  /** SIGKILL for everything at the end, newest first. */
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly programs: Program[] = [];

  private constructor(
    readonly folder: string,
    readonly redis: RedisProcess,
    seen: { client: Redis },
    readonly certificates: CertificateFiles,
    readonly server: DevMainServer,
    readonly ledger: MessageLedger,
  ) {
    this.#seen = seen;
  }

  static async open(redisOptions: RedisOptions = {}): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), 'fault-'));
    const redis = await startRedis(redisOptions);
    const seen = { client: plainClient(redis.port) };
    const certificates = await makeCertificates({ directory: join(folder, 'pki') });
    const server = await startMainServer({ tls: pemsOf(certificates) });
    const ledger = createMessageLedger(seen, { server });
    return new Stage(folder, redis, seen, certificates, server, ledger);
  }

  /** Of the Redis that counts: where messages are produced and accounted for. */
  get client(): Redis {
    return this.#seen.client;
  }

  /** Another Redis counts from now on; the stage disconnects the client at the end. */
  lookAt(client: Redis): void {
    this.#closers.push(async () => client.disconnect());
    this.#seen.client.disconnect();
    this.#seen.client = client;
  }

  /** A row's own expectation; one that does not hold fails the row, which goes on. */
  expect(holds: boolean, otherwise: string): void {
    if (!holds && !this.problems.includes(otherwise)) this.problems.push(otherwise);
  }

  async start(settings: Settings = {}, options: StartOptions = {}): Promise<Fleet> {
    const ports = { port: await freePort(), metricsPort: await freePorts(4) };
    const cwd = mkdtempSync(join(this.folder, 'fleet-'));
    const base: Settings = {
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: this.redis.port,
      MAIN_SERVER_URL: this.server.url,
      SUPERVISOR_PORT: ports.port,
      SUPERVISOR_RUNTIME_DIR: join(cwd, 'run'),
      WORKER_METRICS_PORT: ports.metricsPort,
      WORKER_METRICS_HOST: '127.0.0.1',
    };
    const fleet = new RunningFleet({ cwd, ...ports, base }, this.programs);
    fleet.configure(settings);
    fleet.useCertificate(this.certificates);
    if (!options.prepareOnly) fleet.startAgain(options.env);
    return fleet;
  }

  /** Starts as many workers, and waits until the supervisor looks no more for what an earlier one left: 20 s. */
  async startSettled(settings: Settings & { readonly WORKER_COUNT: number }): Promise<Fleet> {
    const fleet = await this.start(settings);
    await fleet.until('21 s to pass', ({ supervisor }) => supervisor.uptime_seconds > 21, 40_000);
    await fleet.ready(settings.WORKER_COUNT);
    return fleet;
  }

  /** Of Redis or of the main server; the worker is told its port. */
  async proxy(port: number): Promise<TcpProxy> {
    const proxy = await startTcpProxy(port);
    this.#closers.push(() => proxy.close());
    return proxy;
  }

  /** Produces evenly until stopped. */
  load(perSecond: number): Load {
    let stopped = false;
    const perStep = (perSecond * LOAD_STEP_MS) / 1_000;
    const run = async (): Promise<void> => {
      const begun = performance.now();
      let made = 0;
      while (!stopped) {
        const due = Math.floor(((performance.now() - begun) / LOAD_STEP_MS) * perStep) - made;
        if (due > 0) await this.ledger.produceOnce(due);
        made += due;
        await sleep(LOAD_STEP_MS);
      }
    };
    // a row that fails leaves its load running: the stage closes under it
    const running = run().catch((error: unknown) => this.expect(false, `the load ended: ${String(error)}`));
    return {
      stop: () => {
        stopped = true;
        return running;
      },
    };
  }

  /** Closed after the programs, newest first. */
  onClose(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  /** One answer after the other, `lanes` in turn: while the first is settled, the others wait for the next settlement. */
  answerApart(lanes: number, firstMs: number): void {
    let posts = 0;
    this.server.onPost = () => (this.server.faults.post.delayMs = firstMs + (posts++ % lanes) * 20);
  }

  /** When a POST began that was not under way at `since`; rejects at the deadline. */
  async firstPostAfter(since: number, deadlineMs = 10_000): Promise<number> {
    const find = () => {
      let first = Infinity;
      for (const exchanges of this.server.ledger.exchanges.values())
        for (const { method, startMs } of exchanges)
          if (method === 'POST' && startMs > since) first = Math.min(first, startMs);
      return first < Infinity && first;
    };
    return waitFor(find, { what: 'the next POST', deadlineMs });
  }

  /** When each of `workers` workers had begun a POST after `since`: the last one to come back. More must wait than one takes. */
  async everyWorkerPosts(since: number, workers: number, deadlineMs = 10_000): Promise<number> {
    const find = () => {
      const firsts = new Map<string, number>();
      for (const exchanges of this.server.ledger.exchanges.values())
        for (const { method, startMs, body } of exchanges) {
          const { worker_id: worker } = body as { worker_id: string };
          if (method === 'POST' && startMs > since)
            firsts.set(worker, Math.min(firsts.get(worker) ?? Infinity, startMs));
        }
      return firsts.size >= workers && Math.max(...firsts.values());
    };
    return waitFor(find, { what: `a POST of each of ${workers} workers`, deadlineMs });
  }

  /** Fails the row when a POST begins within `ms`: the fault is not in force. */
  async expectStandstill(ms: number): Promise<void> {
    const before = this.server.ledger.posts;
    await sleep(ms);
    const posts = this.server.ledger.posts - before;
    this.expect(posts === 0, `${posts} POSTs although Redis does not serve`);
  }

  /** When the last of `ids` was POSTed again after `since`. */
  async postedAgain(ids: readonly string[], since: number, deadlineMs = 20_000): Promise<number> {
    const nextOf = (id: string) =>
      this.server.ledger.of(id, 'POST').find(({ startMs }) => startMs > since)?.startMs ?? Infinity;
    const find = () => {
      const last = Math.max(...ids.map(nextOf));
      return last < Infinity && last;
    };
    return ids.length === 0 ? since : waitFor(find, { what: `${ids.length} messages to be POSTed again`, deadlineMs });
  }

  /** POSTs that reached the main server after `since` and were not answered; those of a process that died never are. */
  openPosts(since = 0): { readonly id: string; readonly worker: string }[] {
    const open: { id: string; worker: string }[] = [];
    for (const exchanges of this.server.ledger.exchanges.values())
      for (const { id, method, startMs, endMs, body } of exchanges)
        if (method === 'POST' && endMs === undefined && startMs > since)
          open.push({ id, worker: (body as { worker_id: string }).worker_id });
    return open;
  }

  /** No attempt was counted for `ids`, as their last deliverer saw it: waits until the log tells of its success. */
  async expectFirstAttempt(fleet: Fleet, ids: readonly string[]): Promise<void> {
    const isTold = (id: string) => fleet.logged().includes(`Message ${id} delivered successfully`);
    await waitFor(() => ids.every(isTold), { what: `the log to tell of ${ids.length} deliveries` });
    const counted = ids.filter((id) => fleet.logged().includes(`message ${id} (attempt 2/`));
    this.expect(counted.length === 0, `the kill spent an attempt of ${counted.join(', ')}`);
  }

  async close(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.destroy()));
    for (const close of this.#closers.reverse()) await close();
    await this.server.close();
    this.client.disconnect();
    this.redis.thaw();
    await this.redis.stop();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

export async function pidsOf(fleet: Fleet): Promise<number[]> {
  return (await fleet.status()).workers.flatMap(({ pid }) => (pid === null ? [] : [pid]));
}

export async function pidOf(fleet: Fleet, worker: string): Promise<number | undefined> {
  return (await fleet.status()).workers.find(({ id }) => id === worker)?.pid ?? undefined;
}

/** A pid of 0 would mean our own process group, the runner and its terminal included. */
export function sendSignal(pid: number | null | undefined, signal: NodeJS.Signals): void {
  if (!pid) throw new Error(`There is no process to send ${signal} to`);
  process.kill(pid, signal);
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
