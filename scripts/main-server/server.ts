/**
 * A main server for development, tests and the benchmark: the routes the worker uses, answering as the real one does
 * (FastAPI behind uvicorn), over TLS that requires a client certificate, with faults on demand.
 */
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '../../src/shared/time/clock.js';
import { clearFaults, noFaults, type Faults } from './faults.js';
import { RecordingLedger, type Ledger } from './ledger.js';
import { Outages } from './outages.js';
import { RateLimit } from './rate-limit.js';
import { Registrations } from './registrations.js';
import { answerRequest, type Route } from './routes.js';
import { Turns } from './turns.js';

interface MainServerOptions {
  /** Default: any free port. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** PEM texts; undefined = plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
  /** Default true. False keeps counts only. */
  readonly records?: boolean;
}

export interface DevMainServer {
  /** For MAIN_SERVER_URL: https://localhost:<port>, or http. */
  readonly url: string;
  readonly port: number;
  /** Assign to its fields while the server runs. */
  readonly faults: Faults;
  readonly ledger: Ledger;
  /** Subject common names of the client certificates, one per connection. */
  readonly clients: readonly string[];
  /** Connections accepted so far, and open now. */
  readonly connections: { readonly accepted: number; readonly open: number };
  /**
   * Requests read and not answered: now and at most since `clear`; `frozen` of them found no connection (see
   * `Faults.poolSize`).
   */
  readonly inFlight: { readonly now: number; readonly most: number; readonly frozen: number };
  /** Called when a POST has been read and before it is answered. */
  onPost: ((id: string) => void) | undefined;
  /** Called when it freezes, with the number of requests in flight. */
  onFreeze: ((inFlight: number) => void) | undefined;
  /**
   * The proxy has put this message into the queue, and will register it (see `Faults.unknownForMs`). Returns when it is known,
   * performance.now() ms.
   */
  enqueued(id: string): number;
  /** Faults off, ledger empty. */
  clear(): void;
  closeIdleConnections(): void;
  /** Ends everything, hanging requests too. Safe to call twice. */
  close(): Promise<void>;
}

/** Idle sockets are closed after that long. */
const UVICORN_KEEP_ALIVE_MS = 5_000;

export async function startMainServer(options: MainServerOptions = {}): Promise<DevMainServer> {
  const { tls } = options;
  const server = tls
    ? createHttpsServer({ ...tls, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' })
    : createHttpServer();
  const running = new RunningServer(server, options);
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  return running;
}

class RunningServer implements DevMainServer {
  readonly #server: Server;
  readonly #options: MainServerOptions;
  readonly faults: Faults = noFaults();
  readonly ledger: RecordingLedger;
  readonly clients: string[] = [];
  onPost: ((id: string) => void) | undefined;
  onFreeze: ((inFlight: number) => void) | undefined;
  #accepted = 0;
  readonly #registrations = new Registrations();
  readonly #outages = new Outages(this.faults, () => systemClock.now());
  readonly #turns = new Turns({
    clock: systemClock,
    limits: this.faults,
    onFreeze: (inFlight) => this.onFreeze?.(inFlight),
  });
  readonly #sockets = new Set<Socket>();
  readonly #served = new WeakSet<Socket>();
  readonly #route: Route;

  constructor(server: Server, options: MainServerOptions) {
    this.#server = server;
    this.#options = options;
    this.ledger = new RecordingLedger(options.records ?? true);
    this.#route = {
      faults: this.faults,
      ledger: this.ledger,
      onPost: (id) => this.onPost?.(id),
      registrations: this.#registrations,
      outages: this.#outages,
      rateLimit: new RateLimit(),
      turns: this.#turns,
      reset: (response) => this.#reset(response),
    };
    server.keepAliveTimeout = UVICORN_KEEP_ALIVE_MS;
    server.requestTimeout = 0;
    server.headersTimeout = 0;
    server.on('connection', (socket: Socket) => this.#track(socket));
    server.on('secureConnection', (socket: TLSSocket) => this.#noteClient(socket));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port ?? 0;
  }

  get url(): string {
    return this.#options.tls ? `https://localhost:${this.port}` : `http://localhost:${this.port}`;
  }

  get connections(): { accepted: number; open: number } {
    return { accepted: this.#accepted, open: this.#sockets.size };
  }

  get inFlight(): { now: number; most: number; frozen: number } {
    const { inFlight: now, most, frozen } = this.#turns;
    return { now, most, frozen };
  }

  enqueued(id: string): number {
    return this.#registrations.enqueued(id, this.faults);
  }

  clear(): void {
    clearFaults(this.faults);
    this.ledger.clear();
    this.#registrations.clear();
    this.#outages.clear();
    this.#turns.clear();
    this.clients.length = 0;
  }

  closeIdleConnections(): void {
    this.#server.closeIdleConnections();
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#turns.end();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #track(socket: Socket): void {
    this.#accepted++;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #reset(response: ServerResponse): void {
    const port = response.socket?.remotePort;
    for (const socket of this.#sockets) if (socket.remotePort === port) socket.resetAndDestroy();
  }

  #noteClient(socket: TLSSocket): void {
    if (this.#options.records === false) return;
    const name: unknown = socket.getPeerCertificate().subject?.CN;
    this.clients.push(typeof name === 'string' ? name : '');
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    if (this.faults.staleCloses > 0 && this.#served.has(socket)) {
      this.faults.staleCloses--;
      socket.destroy();
      return;
    }
    this.#served.add(socket);
    answerRequest(request, response, this.#route);
  }
}
