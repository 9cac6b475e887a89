/**
 * The built program as operators run it: `start` in a folder with a .env and certs/, its own Redis and a main server that
 * asks for client certificates. Ended after each test.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { CertificateFiles } from '../../../supervisor/certificates/certificates.js';
import type { DevMainServer } from '../../../scripts/main-server/server.js';
import type { StatusDocument, WorkerStatus } from '../../../supervisor/status/status-document.js';
import { useCertificates } from '../main-server/certificates.js';
import { freePort, freePorts } from '../free-port.js';
import { createMessageLedger, type MessageLedger } from '../ledger.js';
import { useMainServer } from '../main-server/main-server.js';
import { startProgram, type Program } from './program.js';
import { useRedis, type TestRedis } from '../redis/redis.js';
import { HANGS_MS, waitFor } from '../wait-for.js';

/** Lines of .env, over those that name our Redis, main server and ports. */
export type Settings = Readonly<Record<string, string | number>>;

export interface Fleet {
  /** The one started last. */
  readonly program: Program;
  readonly cwd: string;
  readonly port: number;
  readonly metricsPort: number;
  /** Replaces the .env; it counts from the next start or SIGHUP on. */
  configure(settings: Settings): void;
  useCertificate(files: CertificateFiles): void;
  /** Starts another supervisor in the same folder; by `script`, a JavaScript file, if there is one. */
  startAgain(environment?: Readonly<Record<string, string>>, script?: string): Program;
  get(path: string): Promise<string>;
  status(): Promise<StatusDocument>;
  /** Waits until the status is as wanted. */
  until(what: string, wanted: (status: StatusDocument) => boolean, deadlineMs?: number): Promise<StatusDocument>;
  /** Waits until `count` workers are ready; returns them. */
  ready(count: number, deadlineMs?: number): Promise<readonly WorkerStatus[]>;
  /** Text of the log file, all days. */
  logged(): string;
}

export interface Installation {
  readonly redis: TestRedis;
  readonly certificates: { readonly files: CertificateFiles };
  readonly server: DevMainServer;
  readonly ledger: MessageLedger;
  start(settings: Settings, environment?: Readonly<Record<string, string>>): Promise<Fleet>;
}

/** Redis, certificates and main server for the test file. Call it at the top level of the file. */
export function useInstallation(): Installation {
  const redis = useRedis();
  const certificates = useCertificates();
  const main = useMainServer(certificates);
  const ledger = createMessageLedger(redis, main);
  const folders: string[] = [];
  const programs: Program[] = [];
  beforeEach(() => ledger.clear());
  afterEach(async () => {
    if (main.server) main.server.onPost = undefined;
    await Promise.all(programs.splice(0).map((program) => program.destroy()));
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  return {
    redis,
    certificates,
    ledger,
    get server() {
      return main.server;
    },
    async start(settings, environment = {}) {
      const cwd = mkdtempSync(join(tmpdir(), 'fleet-'));
      folders.push(cwd);
      const ports = { port: await freePort(), metricsPort: await freePorts(4) };
      const base: Settings = {
        REDIS_HOST: '127.0.0.1',
        REDIS_PORT: redis.port,
        MAIN_SERVER_URL: main.server.url,
        SUPERVISOR_PORT: ports.port,
        SUPERVISOR_RUNTIME_DIR: join(cwd, 'run'),
        WORKER_METRICS_PORT: ports.metricsPort,
        WORKER_METRICS_HOST: '127.0.0.1',
      };
      const fleet = new RunningFleet({ cwd, ...ports, base }, programs);
      fleet.configure(settings);
      fleet.useCertificate(certificates.files);
      fleet.startAgain(environment);
      return fleet;
    },
  };
}

interface Place {
  readonly cwd: string;
  readonly port: number;
  readonly metricsPort: number;
  readonly base: Settings;
}

export class RunningFleet implements Fleet {
  readonly #place: Place;
  readonly #started: Program[];
  readonly cwd: string;
  readonly port: number;
  readonly metricsPort: number;
  #running: Program | undefined;

  constructor(place: Place, started: Program[]) {
    this.#place = place;
    this.#started = started;
    ({ cwd: this.cwd, port: this.port, metricsPort: this.metricsPort } = place);
  }

  get program(): Program {
    if (!this.#running) throw new Error('The fleet was not started');
    return this.#running;
  }

  configure(settings: Settings): void {
    const lines = Object.entries({ ...this.#place.base, ...settings }).map(([name, value]) => `${name}=${value}`);
    writeFileSync(join(this.cwd, '.env'), `${lines.join('\n')}\n`);
  }

  useCertificate(files: CertificateFiles): void {
    const folder = join(this.cwd, 'certs');
    mkdirSync(folder, { recursive: true });
    copyFileSync(files.caCert, join(folder, 'ca.crt'));
    copyFileSync(files.workerCert, join(folder, 'worker.crt'));
    copyFileSync(files.workerKey, join(folder, 'worker.key'));
  }

  startAgain(environment: Readonly<Record<string, string>> = {}, script?: string): Program {
    this.#running = startProgram({ cwd: this.cwd, env: environment, ...(script ? { script } : {}) });
    this.#started.push(this.#running);
    return this.#running;
  }

  async get(path: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, { headers: { connection: 'close' } });
    return response.text();
  }

  async status(): Promise<StatusDocument> {
    return JSON.parse(await this.get('/status')) as StatusDocument;
  }

  async until(
    what: string,
    wanted: (status: StatusDocument) => boolean,
    deadlineMs = HANGS_MS,
  ): Promise<StatusDocument> {
    const look = async () => {
      const now = await this.status().catch(() => undefined);
      return now && wanted(now) && now;
    };
    return waitFor(look, { what, deadlineMs }).catch((error: unknown) => {
      const last = this.program.lines.slice(-20).map(({ text }) => text);
      throw new Error(`${String(error)}\n${last.join('\n')}`);
    });
  }

  async ready(count: number, deadlineMs?: number): Promise<readonly WorkerStatus[]> {
    const isReady = ({ workers }: StatusDocument) =>
      workers.length === count && workers.every(({ state }) => state === 'ready');
    return (await this.until(`${count} ready workers`, isReady, deadlineMs)).workers;
  }

  logged(): string {
    return readFileSync(join(this.cwd, 'logs', 'worker.log'), 'utf8');
  }
}
