/**
 * An HTTP server that no client can keep busy: what every port of ours listens with.
 *
 *   caps      connections per peer and in all (guests.ts); requests of a peer per second, the rest wait unread
 *   pipelines one request of a connection at a time, the next when its answer was taken (paced-socket.ts)
 *   slowness  a request that dribbles is cut after 5 s, an answer that nobody reads after 10 s
 *
 * What an answer costs to make is shared-page.ts's affair.
 */
import { Server, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { Clock } from '../time/clock.js';
import { Guests, type GuestLimits } from './guests.js';
import { PacedSocket } from './paced-socket.js';
import { peerName } from './peer-name.js';

interface GuardedServerOptions {
  readonly limits: GuestLimits;
  /** Their requests have an allowance of their own, beside that of all others. */
  readonly probes: readonly string[];
  readonly clock: Clock;
}

const REQUEST_TIMEOUT_MS = 5_000;
const READ_ANSWER_MS = 10_000;

export class GuardedServer extends Server {
  readonly #guests: Guests;
  readonly #probe: RegExp;

  constructor({ limits, probes, clock }: GuardedServerOptions) {
    super({
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: REQUEST_TIMEOUT_MS,
      // Node looks only every 30 s otherwise
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16_384,
    });
    this.#guests = new Guests(limits, clock);
    this.#probe = new RegExp(`^(GET|HEAD) (${probes.join('|')})[? ]`);
    const serve = this.listeners('connection')[0] as (this: Server, socket: PacedSocket) => void;
    this.removeAllListeners('connection');
    this.on('connection', (socket: Socket) => this.#receive(socket, serve));
    this.on('request', (request, response) => noteRequest(request, response));
    this.on('checkExpectation', (request, response) => void this.emit('request', request, response));
  }

  override closeAllConnections(): void {
    this.#guests.cutAll();
    super.closeAllConnections();
  }

  #receive(socket: Socket, serve: (this: Server, socket: PacedSocket) => void): void {
    const peer = peerName(socket.remoteAddress);
    socket.setTimeout(REQUEST_TIMEOUT_MS);
    const guest = new PacedSocket({
      socket,
      admit: (head, begin) => this.#guests.enter(peer, this.#isProbe(head) ? 'probes' : 'pages', begin),
      serve: (paced) => {
        socket.setTimeout(0);
        serve.call(this, paced);
      },
    });
    guest.once('close', () => this.#guests.leave(peer, guest));
    if (!this.#guests.admit(peer, guest)) guest.destroy();
  }

  #isProbe(head: Buffer): boolean {
    return this.#probe.test(head.toString('latin1', 0, 64));
  }
}

/** Whether, as far as can be known, nobody waits for the answer any more. */
export function isAbandoned({ socket }: IncomingMessage): boolean {
  return socket instanceof PacedSocket && socket.hasHungUp;
}

function noteRequest(request: IncomingMessage, response: ServerResponse): void {
  // A client that hangs up in the middle is its own affair.
  response.on('error', () => undefined);
  request.on('error', () => undefined);
  const { socket } = request;
  if (socket instanceof PacedSocket) socket.began(request, response);
  response.once('prefinish', () => response.setTimeout(READ_ANSWER_MS, () => request.destroy()));
}
