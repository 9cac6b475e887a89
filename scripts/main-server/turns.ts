/** The one event loop of the real main server, and its pool of database connections, as a client feels them. */
import type { Clock, Timer } from '../../src/shared/time/clock.js';

/** `connected`: it got a connection; without one it fails. */
type Serve = (visit: Visit, connected: boolean) => void;

interface Job {
  readonly ms: number;
  readonly isFreeze: boolean;
  readonly run: () => void;
}

/** A request from its reading until `leave`. */
class Visit {
  readonly #within: readonly Set<Visit>[];

  constructor(within: readonly Set<Visit>[]) {
    this.#within = within;
    for (const visits of within) visits.add(this);
  }

  leave(): void {
    for (const visits of this.#within) visits.delete(this);
  }
}

interface TurnsOptions {
  readonly clock: Pick<Clock, 'now' | 'after'>;
  /** As they are now. */
  readonly limits: { readonly poolSize: number; readonly freezeMs: number };
  readonly onFreeze: (inFlight: number) => void;
}

export class Turns {
  readonly #options: TurnsOptions;
  readonly #inside = new Set<Visit>();
  /** Of `#inside`, those that hold a connection. */
  readonly #connected = new Set<Visit>();
  #jobs: Job[] = [];
  /** Of `#jobs`, at its head. */
  #freezes = 0;
  #timer: Timer | undefined;
  #most = 0;
  #frozen = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Requests read and not answered. */
  get inFlight(): number {
    return this.#inside.size;
  }

  /** Highest `inFlight` since `clear`. */
  get most(): number {
    return this.#most;
  }

  /** How many requests found no connection since `clear`. */
  get frozen(): number {
    return this.#frozen;
  }

  /** Calls `serve` after all that came before, and `ms` of work. The first request beyond the pool holds up everything. */
  arrive(ms: number, serve: Serve): void {
    const { poolSize, freezeMs } = this.#options.limits;
    const connected = poolSize === 0 || this.#connected.size < poolSize;
    const visit = new Visit(connected ? [this.#inside, this.#connected] : [this.#inside]);
    this.#most = Math.max(this.#most, this.inFlight);
    if (connected) return this.#add({ ms, isFreeze: false, run: () => serve(visit, true) });
    this.#frozen += 1;
    this.#options.onFreeze(this.inFlight);
    // it waits inside the event loop: what was begun before it does not get on either
    this.#jobs.splice(this.#freezes, 0, { ms: freezeMs, isFreeze: true, run: () => serve(visit, false) });
    this.#freezes += 1;
    this.#begin();
  }

  /** Once the event loop is free: at once, unless it is at work. */
  whenFree(run: () => void): void {
    this.#add({ ms: 0, isFreeze: false, run });
  }

  /** Forgets whoever waits, and what was counted. */
  clear(): void {
    this.end();
    this.#most = 0;
    this.#frozen = 0;
  }

  /** Forgets whoever waits. What was counted is still to be read. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#inside.clear();
    this.#connected.clear();
    this.#jobs = [];
    this.#freezes = 0;
  }

  #add(job: Job): void {
    this.#jobs.push(job);
    this.#begin();
  }

  /** @param startMs when the event loop became free: timers are late, and their lateness must not add up */
  #begin(startMs = this.#options.clock.now()): void {
    const { clock } = this.#options;
    while (this.#timer === undefined) {
      const job = this.#jobs.shift();
      if (!job) return;
      if (job.isFreeze) this.#freezes -= 1;
      if (job.ms === 0) {
        job.run();
        continue;
      }
      const endMs = startMs + job.ms;
      this.#timer = clock.after(Math.max(0, endMs - clock.now()), () => {
        this.#timer = undefined;
        job.run();
        this.#begin(endMs);
      });
    }
  }
}
