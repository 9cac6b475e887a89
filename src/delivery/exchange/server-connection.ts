import type { Socket } from 'node:net';
import { Client, type buildConnector, type Dispatcher } from 'undici';
import type { Clock } from '../../shared/time/clock.js';
import type { Random } from '../../shared/time/random.js';
import { HttpExchange, type Connection } from './http-exchange.js';
import { takeUnaskedContinue } from './interim-answers.js';
import { joinWrites } from './one-write.js';
import { endByReset } from './socket-end.js';

export interface ConnectionAge {
  /** MAIN_SERVER_MAX_CONNECTION_AGE; 0 = no limit. */
  readonly maxAgeMs: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
}

type ConnectedClientOptions = Client.Options & { readonly connect: buildConnector.connector };

/**
 * One connection of a pool: undici's client, which opens its socket when a request needs one.
 *
 * A socket that is older than its age carries one more request, which asks the server to close it; the next one opens
 * another, to wherever the name leads by then. So no request is cut for it, and no attempt spent. The ages lie between
 * 80 and 100 % of the limit, or all sockets of a fleet that started at once would be replaced at once.
 */
export class ServerConnection extends Client implements Connection {
  served = 0;
  current: HttpExchange | undefined;
  readonly #age: ConnectionAge;
  #socket: Socket | undefined;
  /** Monotonic ms. */
  #oldAt = Infinity;

  constructor(url: URL, options: ConnectedClientOptions, age: ConnectionAge) {
    const onSocket = (socket: Socket) => this.#opened(socket);
    super(url, { ...options, connect: watched(options.connect, onSocket) });
    this.#age = age;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (!(handler instanceof HttpExchange)) return super.dispatch(options, handler);
    handler.connection = this;
    if (handler.startMs < this.#oldAt) return super.dispatch(options, handler);
    // the next one may come before the old socket is closed, and will find a young one
    this.#oldAt = handler.startMs + this.#age.maxAgeMs;
    return super.dispatch({ ...options, reset: true }, handler);
  }

  endByReset(): void {
    if (this.#socket) endByReset(this.#socket);
  }

  #opened(socket: Socket): void {
    const { maxAgeMs, clock, random } = this.#age;
    this.served = 0;
    this.#socket = socket;
    this.#oldAt = maxAgeMs > 0 ? clock.now() + maxAgeMs * (0.8 + 0.2 * random()) : Infinity;
    joinWrites(socket, () => this.current?.mayLeave() ?? true);
    stayReferenced(socket);
  }
}

/**
 * undici takes back the reference of a socket that is idle, and takes it again for the next request: so would a process end
 * that has nothing else to do. Ours ends when it is told to, and two calls into the kernel's handles for each message are
 * saved.
 */
function stayReferenced(socket: Socket): void {
  socket.ref = () => socket;
  socket.unref = () => socket;
}

function watched(connect: buildConnector.connector, onSocket: (socket: Socket) => void): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      const [, socket] = result;
      if (socket) onSocket(socket);
      callback(...result);
      if (socket) takeUnaskedContinue(socket);
    });
}
