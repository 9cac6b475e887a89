/**
 * The only place that reads a clock or sets a timer.
 *
 * Durations are measured on the monotonic clock, so a stepped wall clock cannot fire, delay or expire anything.
 * The wall clock serves display, `dead_at` and the age of `queued_at`.
 */
export interface Clock {
  /** Milliseconds since an arbitrary point, never going back. */
  now(): number;
  /** Milliseconds since the Unix epoch, as the host believes it. */
  wallNow(): number;
  /** Resolves after `ms` or as soon as `signal` fires; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls once, after `ms`. */
  after(ms: number, action: () => void): Timer;
  /** Calls every `ms` until it is cancelled. */
  every(ms: number, action: () => void): Timer;
}

export interface Timer {
  /** Safe to call twice, and after it has fired. */
  cancel(): void;
  /** From now on it does not keep the process alive. */
  unref(): this;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done);
    });
  },
  after: (ms, action) => new SystemTimer(setTimeout(action, ms)),
  every: (ms, action) => new SystemTimer(setInterval(action, ms)),
};

class SystemTimer implements Timer {
  readonly #timeout: NodeJS.Timeout;

  constructor(timeout: NodeJS.Timeout) {
    this.#timeout = timeout;
  }

  /** Serves setInterval's, too. */
  cancel(): void {
    clearTimeout(this.#timeout);
  }

  unref(): this {
    this.#timeout.unref();
    return this;
  }
}
