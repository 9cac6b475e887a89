/**
 * `GET /events`: server-sent events for the pages that are open.
 *
 * Each second all clients get the same text, made once, and only while there is a client. One that does not read costs no
 * more than a socket's buffer and one event: while its buffer is full nothing is written to it, and after ten seconds of
 * that it is cut off. What it missed of the history comes with its next event.
 */
import type { ServerResponse } from 'node:http';
import type { Life } from '../../src/shared/life.js';
import type { Clock, Timer } from '../../src/shared/time/clock.js';
import type { Events } from '../admin/protocol.js';
import { RequestError, type StreamedAnswer } from '../admin/route.js';
import type { History } from '../status/history.js';
import type { StatusEvent } from '../status/status-events.js';

interface EventStreamOptions {
  readonly history: Pick<History, 'total' | 'since'>;
  readonly status: () => StatusEvent;
  readonly clock: Clock;
  /** Default 1000. */
  readonly everyMs?: number;
  /** How long a client may leave its buffer full; default 10000. */
  readonly patienceMs?: number;
}

/** Of the 100 connections that a listener takes: pages must not keep out those who ask for health. */
export const MOST_CLIENTS = 20;
const EVERY_MS = 1_000;
const PATIENCE_MS = 10_000;

interface Client {
  /** Samples sent so far, counted from the first there ever was. */
  samples: number;
  /** Since when its buffer is full, monotonic ms; undefined = it is not. */
  fullSince: number | undefined;
}

export class EventStream implements Life {
  readonly #options: EventStreamOptions;
  readonly #clients = new Map<ServerResponse, Client>();
  #state: 'built' | 'open' | 'stopped' = 'built';
  #timer: Timer | undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** What the slowest client has not taken yet. */
  get mostBufferedBytes(): number {
    return Math.max(0, ...[...this.#clients.keys()].map((response) => response.writableLength));
  }

  start(): void {
    if (this.#state === 'built') this.#state = 'open';
  }

  /** @throws RequestError 503 when too many are connected, and before and after its time. */
  answer(): StreamedAnswer {
    if (this.#state !== 'open') {
      throw new RequestError(503, `The supervisor is ${this.#state === 'built' ? 'starting' : 'stopping'}.`);
    }
    if (this.#clients.size >= MOST_CLIENTS) {
      throw new RequestError(503, `${MOST_CLIENTS} pages are open already; close one.`, { 'retry-after': '5' });
    }
    return { contentType: 'text/event-stream; charset=utf-8', stream: (response) => this.#admit(response) };
  }

  /** Cuts all clients off. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    const clients = [...this.#clients.keys()];
    const closed = clients.map((response) => new Promise((resolve) => response.once('close', resolve)));
    for (const response of clients) response.destroy();
    await Promise.all(closed);
  }

  #admit(response: ServerResponse): void {
    this.#clients.set(response, { samples: 0, fullSince: undefined });
    response.once('close', () => this.#remove(response));
    if (response.destroyed) return this.#remove(response);
    this.#timer ??= this.#options.clock.every(this.#options.everyMs ?? EVERY_MS, () => this.#tick());
    this.#send(response, eventText('status', this.#options.status()));
  }

  #remove(response: ServerResponse): void {
    this.#clients.delete(response);
    if (this.#clients.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #tick(): void {
    const status = eventText('status', this.#options.status());
    for (const response of this.#clients.keys()) this.#send(response, status);
  }

  #send(response: ServerResponse, status: string): void {
    const client = this.#clients.get(response);
    if (!client) return;
    if (response.writableNeedDrain) return this.#judge(response, client);
    client.fullSince = undefined;
    const { history } = this.#options;
    const isBehind = history.total > client.samples;
    const samples = isBehind ? eventText('samples', history.since(client.samples)) : '';
    client.samples = history.total;
    response.write(samples + status);
  }

  #judge(response: ServerResponse, client: Client): void {
    const now = this.#options.clock.now();
    client.fullSince ??= now;
    if (now - client.fullSince > (this.#options.patienceMs ?? PATIENCE_MS)) response.destroy();
  }
}

function eventText<Name extends keyof Events>(event: Name, content: Events[Name]): string {
  return `event: ${event}\ndata: ${JSON.stringify(content)}\n\n`;
}
