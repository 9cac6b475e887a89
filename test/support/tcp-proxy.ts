/**
 * The one TCP proxy of the tests, on 127.0.0.1 unless told otherwise. It shows and changes what passes, leads elsewhere,
 * and misbehaves on demand, while connections run through it.
 *
 *  pass       bytes flow both ways
 *  blackhole  sockets stay open, accepted and silent: a half-open peer; `pass` lets what was held flow again
 *  refuse     the port is closed and every connection reset
 *  reset      every connection, and each new one, is ended by RST
 *  fin        every connection, and each new one, is ended by FIN
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export type ProxyMode = 'pass' | 'blackhole' | 'refuse' | 'reset' | 'fin';

export interface TcpProxy {
  readonly port: number;
  readonly mode: ProxyMode;
  /** Open connections. */
  readonly connections: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Their near ends, while they are open. */
  readonly clients: readonly Socket[];
  /** Where new connections lead from now on. */
  leadTo(port: number): void;
  setMode(mode: ProxyMode): Promise<void>;
  /** Holds each chunk, in both directions, that long. Order is kept. */
  setDelay(ms: number): void;
  /** RST in the middle of a reply: after `bytes` more bytes from the target, once. */
  cutAfter(bytes: number): void;
  /** The open connections fall silent for good, as after a lost NAT entry; new ones are served. */
  silenceConnections(): void;
  /** Ends the open connections and serves new ones on. */
  dropConnections(how: 'reset' | 'fin'): void;
  close(): Promise<void>;
}

/** What is handed on in place of what passes in one connection; what has no function passes as it is. */
interface Passage {
  readonly request?: (bytes: Buffer) => Buffer;
  readonly reply?: (bytes: Buffer) => Buffer;
}

interface ProxyOptions {
  /** Where it listens; port 0 = any free one. */
  readonly at?: Place;
  /** Asked at each connection that is handed on. */
  readonly passageOf?: (client: Socket) => Passage;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

const HOST = '127.0.0.1';
const ANY_PORT = { host: HOST, port: 0 };

export async function startTcpProxy(
  targetPort: number,
  { at = ANY_PORT, passageOf = () => ({}) }: ProxyOptions = {},
): Promise<TcpProxy> {
  const proxy = new Proxy(targetPort, at, passageOf);
  await proxy.listen();
  return proxy;
}

interface Link {
  readonly client: Socket;
  readonly target: Socket;
  readonly passage: Passage;
  silent: boolean;
}

class Proxy implements TcpProxy {
  #targetPort: number;
  readonly #passageOf: (client: Socket) => Passage;
  mode: ProxyMode = 'pass';
  accepted = 0;
  port: number;
  readonly #host: string;
  #delayMs = 0;
  #replyBytesLeft: number | undefined;
  #server: Server | undefined;
  readonly #links = new Set<Link>();
  /** Those ended by FIN live on, linkless, until the client ends too. */
  readonly #clients = new Set<Socket>();

  constructor(targetPort: number, at: Place, passageOf: (client: Socket) => Passage) {
    this.#targetPort = targetPort;
    this.#passageOf = passageOf;
    ({ host: this.#host, port: this.port } = at);
  }

  get connections(): number {
    return this.#links.size;
  }

  get clients(): readonly Socket[] {
    return [...this.#links].map(({ client }) => client);
  }

  leadTo(port: number): void {
    this.#targetPort = port;
  }

  async listen(): Promise<void> {
    const server = createServer({ pauseOnConnect: true }, (client) => this.#accept(client));
    server.listen(this.port, this.#host);
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async setMode(mode: ProxyMode): Promise<void> {
    this.mode = mode;
    if (mode === 'refuse') await this.#stopListening();
    else if (!this.#server) await this.listen();
    if (mode === 'refuse' || mode === 'reset') this.dropConnections('reset');
    if (mode === 'fin') this.dropConnections('fin');
    for (const link of this.#links) this.#flow(link);
  }

  setDelay(ms: number): void {
    this.#delayMs = ms;
  }

  cutAfter(bytes: number): void {
    this.#replyBytesLeft = bytes;
  }

  silenceConnections(): void {
    for (const link of this.#links) {
      link.silent = true;
      this.#flow(link);
    }
  }

  dropConnections(how: 'reset' | 'fin'): void {
    for (const link of this.#links) {
      if (how === 'reset') link.client.resetAndDestroy();
      else link.client.end();
      link.target.destroy();
    }
  }

  async close(): Promise<void> {
    await this.#stopListening();
  }

  async #stopListening(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.close();
    for (const client of this.#clients) client.resetAndDestroy();
    await once(server, 'close');
  }

  #accept(client: Socket): void {
    this.accepted++;
    client.on('error', ignore);
    this.#clients.add(client);
    client.once('close', () => this.#clients.delete(client));
    if (this.mode === 'reset') return void client.resetAndDestroy();
    if (this.mode === 'fin') return void client.end().resume();
    const target = connect(this.#targetPort, HOST);
    const link: Link = { client, target, passage: this.#passageOf(client), silent: false };
    this.#links.add(link);
    target.on('error', ignore);
    this.#forward(link, client, target);
    this.#forward(link, target, client);
    this.#flow(link);
  }

  #forward(link: Link, from: Socket, to: Socket): void {
    from.setNoDelay(true);
    const handedOn = to === link.client ? link.passage.reply : link.passage.request;
    from.on('data', (chunk: Buffer) => {
      const bytes = handedOn ? handedOn(chunk) : chunk;
      this.#later(() => this.#send(bytes, link, to));
    });
    from.once('end', () => this.#later(() => to.end()));
    from.once('close', () => {
      this.#links.delete(link);
      this.#later(() => to.destroy());
    });
  }

  #send(chunk: Buffer, link: Link, to: Socket): void {
    const left = this.#replyBytesLeft;
    if (to === link.client && left !== undefined) {
      if (chunk.length >= left) return this.#cut(chunk.subarray(0, left), link);
      this.#replyBytesLeft = left - chunk.length;
    }
    if (!to.destroyed) to.write(chunk);
  }

  #cut(lastBytes: Buffer, link: Link): void {
    this.#replyBytesLeft = undefined;
    link.target.destroy();
    link.client.write(lastBytes, () => link.client.resetAndDestroy());
  }

  /** Timers of one length fire in the order they were made, which keeps the bytes in order. */
  #later(action: () => void): void {
    if (this.#delayMs === 0) action();
    else setTimeout(action, this.#delayMs);
  }

  #flow(link: Link): void {
    for (const socket of [link.client, link.target]) {
      if (this.mode === 'blackhole' || link.silent) socket.pause();
      else socket.resume();
    }
  }
}

function ignore(): void {
  // a reset peer is what this proxy is for
}
