import { createBackgroundConnection, type BackgroundConnection } from '../../src/queue/background.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Random } from '../../src/shared/time/random.js';
import type { Config } from '../../src/shared/config/config.js';

export type QueueSettings = Pick<Config, 'redis' | 'queue'>;

/** A borrowed connection; `release` gives it back, the last one closes it. */
export interface Borrowed extends Omit<BackgroundConnection, 'start' | 'stop'> {
  release(): Promise<void>;
}

/**
 * The primary's connections to Redis, one per distinct settings: after a reload that changed them, what a worker of the
 * old set held is still recovered where it is.
 */
export class QueueAccess {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #open = new Map<string, { connection: BackgroundConnection; users: number }>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** @throws ConfigError when REDIS_TLS_CA_PATH cannot be read. */
  borrow(config: QueueSettings): Borrowed {
    const key = JSON.stringify([config.redis, config.queue]);
    const entry = this.#open.get(key) ?? { connection: this.#connect(config), users: 0 };
    entry.users += 1;
    this.#open.set(key, entry);
    let released = false;
    return {
      ...entry.connection,
      release: async () => {
        if (released) return;
        released = true;
        entry.users -= 1;
        if (entry.users > 0) return;
        this.#open.delete(key);
        await entry.connection.stop();
      },
    };
  }

  #connect(config: QueueSettings): BackgroundConnection {
    const connection = createBackgroundConnection({
      config,
      workerId: 'supervisor',
      clock: this.#clock,
      random: this.#random,
    });
    connection.start();
    return connection;
  }
}
