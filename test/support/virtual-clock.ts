import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { Clock, Timer } from '../../src/shared/time/clock.js';

interface Due {
  atMs: number;
  readonly everyMs: number | undefined;
  readonly action: () => void;
}

/** Turns of the event loop after which a chain of promises without I/O has come to rest. */
const SETTLING_TURNS = 5;

/** Time that passes only when a test says so. Both clocks go together unless the wall clock is stepped. */
export class VirtualClock implements Clock {
  #now = 0;
  #wallOffset: number;
  readonly #due = new Set<Due>();

  /** @param wallNow ms since the Unix epoch at the start. */
  constructor(wallNow = Date.UTC(2025, 0, 15, 10, 30)) {
    this.#wallOffset = wallNow;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now + this.#wallOffset;
  }

  /** Somebody sets the host's clock. */
  stepWall(ms: number): void {
    this.#wallOffset += ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.after(ms, done);
      signal?.addEventListener('abort', done);
    });
  }

  after(ms: number, action: () => void): Timer {
    return this.#set({ atMs: this.#now + Math.max(0, ms), everyMs: undefined, action });
  }

  every(ms: number, action: () => void): Timer {
    return this.#set({ atMs: this.#now + ms, everyMs: Math.max(1, ms), action });
  }

  /** Timers that are set and have not fired. */
  get pending(): number {
    return this.#due.size;
  }

  /** Lets what is ready run, without time passing. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < SETTLING_TURNS; turn += 1) await endOfTurn();
  }

  /** Fires all that falls due, in order, and lets each have its effects before time goes on. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#fire(next);
      await this.settle();
    }
    this.#now = end;
  }

  /** Time goes on, and all that falls due fires in order; what that sets in motion has its effects later. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#next(end); next; next = this.#next(end)) this.#fire(next);
    this.#now = end;
  }

  /** Time goes on and nothing runs, as in a suspended process: what falls due meanwhile fires late. */
  stall(ms: number): void {
    this.#now += ms;
  }

  #fire(due: Due): void {
    this.#now = Math.max(this.#now, due.atMs);
    if (due.everyMs === undefined) this.#due.delete(due);
    else due.atMs += due.everyMs;
    due.action();
  }

  #set(due: Due): Timer {
    this.#due.add(due);
    const timer: Timer = {
      cancel: () => void this.#due.delete(due),
      unref: () => timer,
    };
    return timer;
  }

  #next(end: number): Due | undefined {
    return [...this.#due].filter(({ atMs }) => atMs <= end).sort((one, other) => one.atMs - other.atMs)[0];
  }
}
