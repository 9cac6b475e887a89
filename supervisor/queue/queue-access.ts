import { createBackgroundConnection, type BackgroundConnection } from '../../src/queue/background.js';
import type { Config } from '../../src/shared/config/config.js';
import type { Life } from '../../src/shared/life.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Random } from '../../src/shared/time/random.js';

export type QueueSettings = Pick<Config, 'redis' | 'queue'>;

interface QueueAccessOptions {
  readonly clock: Clock;
  readonly random: Random;
}

/** A borrowed connection; `release` gives it back, the last one closes it. */
export interface Borrowed extends Omit<BackgroundConnection, 'start' | 'stop'> {
  release(): Promise<void>;
}

/**
 * The primary's connections to Redis, one per distinct settings: after a reload that changed them, what a worker of the
 * old set held is still recovered where it is.
 */
export class QueueAccess implements Life {
  readonly #options: QueueAccessOptions;
  readonly #open = new Map<string, { readonly connection: BackgroundConnection; users: number }>();

  constructor(options: QueueAccessOptions) {
    this.#options = options;
  }

  /** Nothing to do: the first who borrows connects. */
  start(): void {}

  /** Closes what was not given back. Its last user has stopped before. */
  async stop(): Promise<void> {
    const left = [...this.#open.values()];
    await Promise.all(left.map(({ connection }) => connection.stop()));
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
    const { clock, random } = this.#options;
    const connection = createBackgroundConnection({ config, workerId: 'supervisor', clock, random });
    connection.start();
    return connection;
  }
}
