/**
 * Serves one worker's metrics to Prometheus.
 *
 *   off ──start──→ listening            the first try worked
 *            └───→ port_taken ──every 250 ms for 10 s, then every 5 s──→ listening
 *
 * The quick tries serve a reload, where the port comes free when the process before us lets go of it. Deliveries never
 * wait for the port.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { reasonOf } from '../shared/errors.js';
import { GuardedServer } from '../shared/http/guarded-server.js';
import { PAGE_EVERY_MS, SharedPage } from '../shared/http/shared-page.js';
import type { Life } from '../shared/life.js';
import type { Log } from '../shared/logger/log.js';
import type { Clock, Timer } from '../shared/time/clock.js';

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly registry: Pick<Registry, 'metrics' | 'contentType'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly enabled: boolean;
}

type MetricsServerState = 'off' | 'listening' | 'port_taken';

export interface MetricsServer extends Life {
  /** Resolves after the first try, whatever came of it; never rejects. */
  start(): Promise<void>;
  /** Releases the port and cuts all connections. */
  stop(): Promise<void>;
  state(): MetricsServerState;
  /** The port that is or will be served. */
  readonly port: number;
}

const QUICK_RETRY_MS = 250;
const QUICK_RETRIES = 40;
const SLOW_RETRY_MS = 5_000;
/** Prometheus and those who look by hand; the port is open to the network, and deliveries have the same event loop. */
const LIMITS = { perPeer: 16, inAll: 64, perSecond: 20 };

export function createMetricsServer(options: MetricsServerOptions): MetricsServer {
  return new HttpMetricsServer(options);
}

class HttpMetricsServer implements MetricsServer {
  readonly #options: MetricsServerOptions;
  #server: Server | undefined;
  #retry: Timer | undefined;
  #failedTries = 0;
  #state: MetricsServerState = 'off';
  #started = false;
  #stopped: Promise<void> | undefined;
  #trying: Promise<void> | undefined;

  constructor(options: MetricsServerOptions) {
    this.#options = options;
  }

  get port(): number {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    return address?.port ?? this.#options.port;
  }

  state(): MetricsServerState {
    return this.#state;
  }

  async start(): Promise<void> {
    if (!this.#options.enabled || this.#started || this.#stopped) return;
    this.#started = true;
    await this.#try();
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#end());
  }

  async #end(): Promise<void> {
    this.#retry?.cancel();
    await this.#trying;
    this.#state = 'off';
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) await closed(server);
  }

  #try(): Promise<void> {
    this.#trying = this.#listen().finally(() => (this.#trying = undefined));
    return this.#trying;
  }

  async #listen(): Promise<void> {
    const server = createMetricsHttpServer(this.#options);
    try {
      await listening(server, this.#options);
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#server = server;
    this.#state = 'listening';
    this.#options.log.info(`Prometheus metrics server started on port ${this.port}`);
  }

  #failed(error: unknown): void {
    this.#state = 'port_taken';
    this.#failedTries += 1;
    if (this.#failedTries === 1) this.#options.log.error(explained(error, this.#options));
    if (this.#stopped) return;
    const delay = this.#failedTries <= QUICK_RETRIES ? QUICK_RETRY_MS : SLOW_RETRY_MS;
    this.#retry = this.#options.clock.after(delay, () => void this.#try()).unref();
  }
}

/** Any path answers, as the Python client's server does. */
function createMetricsHttpServer({ registry, clock, log }: MetricsServerOptions): Server {
  const page = new SharedPage({
    make: async () => Buffer.from(await registry.metrics()),
    everyMs: PAGE_EVERY_MS,
    clock,
  });
  return new GuardedServer({ limits: LIMITS, probes: [], clock }).on('request', (request, response) => {
    answer(request, response, page, registry.contentType).catch((error: unknown) => {
      log.error(`Cannot collect the metrics: ${reasonOf(error)}`);
      if (!response.headersSent) response.writeHead(500, { connection: 'close' });
      response.end();
    });
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  page: SharedPage<Buffer>,
  contentType: string,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD', connection: 'close' }).end();
    return;
  }
  const body = await page.read();
  // An unread rest of the request would be taken for the next one.
  if (!request.complete) response.setHeader('connection', 'close');
  response.writeHead(200, { 'content-type': contentType, 'content-length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** `exclusive`: without it node:cluster would have the primary listen, and a killed worker's port would stay open. */
async function listening(server: Server, { host, port, log }: MetricsServerOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      server.on('error', (error) => log.error(`Metrics server on port ${port}: ${reasonOf(error)}`));
      resolve();
    });
  });
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function explained(error: unknown, { host, port }: MetricsServerOptions): string {
  const still = 'Messages are delivered all the same; it is tried again until it works.';
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    const holder = port === 9100 ? 'perhaps node_exporter, whose port 9100 is' : 'perhaps another worker';
    return `Metrics port ${port} is taken by another process (${holder}). Set WORKER_METRICS_PORT to a free port. ${still}`;
  }
  if (code === 'EACCES') {
    return `Metrics port ${port} is not allowed to this user. Set WORKER_METRICS_PORT to one above 1023. ${still}`;
  }
  return `Cannot serve metrics on ${host} port ${port} (${reasonOf(error)}). Look at WORKER_METRICS_PORT. ${still}`;
}
