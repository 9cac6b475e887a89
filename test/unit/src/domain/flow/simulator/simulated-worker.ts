import type { Events } from './events.js';
import type { SimulatedServer } from './simulated-server.js';

/** What decides how many are in flight. */
export interface Limiter {
  readonly limit: number;
  begin(): number;
  full(): void;
  answered(ticket: number, ms: number, now: number): void;
  halve(now: number): void;
}

export interface Backlog {
  left: number;
  /** When all of it was delivered. */
  delivered: number;
}

interface SimulatedWorkerOptions {
  readonly events: Events;
  readonly server: SimulatedServer;
  readonly backlog: Backlog;
  readonly limiterOf: (loopBusyMs: () => number) => Limiter;
  /** Of our processor, a message. */
  readonly cpuMs: number;
}

/** Of a turn, whatever is done in it. */
const TURN_MS = 0.04;
const TIMEOUT_MS = 30_000;
const RETRY_MS = 30_000;

/** A worker whose event loop does one thing after the other: an answer waits for its turn, and its time counts as the delivery's. */
export class SimulatedWorker {
  readonly #options: SimulatedWorkerOptions;
  readonly limiter: Limiter;
  #inFlight = 0;
  #busyMs = 0;
  #freeAt = 0;
  #next: (() => void)[] = [];
  delivered = 0;
  /** Of each delivery. */
  readonly times: number[] = [];

  constructor(options: SimulatedWorkerOptions) {
    this.#options = options;
    const { events } = options;
    this.limiter = options.limiterOf(() => this.#busyMs - Math.max(0, this.#freeAt - events.now));
  }

  start(): void {
    const { backlog } = this.#options;
    while (backlog.left > 0 && this.#inFlight < this.limiter.limit) this.#post();
    if (backlog.left > 0) this.limiter.full();
  }

  #post(): void {
    const { events, server, backlog } = this.#options;
    backlog.left -= 1;
    this.#inFlight += 1;
    const ticket = this.limiter.begin();
    const sentAt = events.now;
    server.post(() => this.#inTurn(() => this.#answered(ticket, events.now - sentAt)));
  }

  /** What comes while a turn of the loop goes on is done in the next, together. */
  #inTurn(action: () => void): void {
    const { events } = this.#options;
    this.#next.push(action);
    if (this.#next.length === 1) events.at(Math.max(events.now, this.#freeAt), this.#turn);
  }

  readonly #turn = (): void => {
    const { events, cpuMs } = this.#options;
    const actions = this.#next;
    this.#next = [];
    const lastsMs = TURN_MS + actions.length * cpuMs;
    this.#busyMs += lastsMs;
    this.#freeAt = events.now + lastsMs;
    for (const [at, action] of actions.entries()) events.after(TURN_MS + (at + 1) * cpuMs, action);
  };

  #answered(ticket: number, ms: number): void {
    const { events, backlog } = this.#options;
    this.#inFlight -= 1;
    if (ms > TIMEOUT_MS) {
      this.limiter.halve(events.now);
      events.after(RETRY_MS, () => {
        backlog.left += 1;
        this.start();
      });
    } else {
      this.times.push(ms);
      this.delivered += 1;
      backlog.delivered += 1;
      this.limiter.answered(ticket, ms, events.now);
    }
    this.start();
  }
}
