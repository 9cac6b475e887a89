/**
 * Replaces working processes without a gap.
 *
 * A whole set, for a reload: slot 1 first, as the canary (canary.ts). From its success on, the new configuration is the one
 * that restarts use. A later slot whose new process does not boot keeps its old process, and one whose new process dies gets
 * another; the reload stops there and says so. Before it is called done, whoever took over must still be there.
 */
import type { Config } from '../../src/shared/config/config.js';
import { reasonOf } from '../../src/shared/errors.js';
import type { Log } from '../../src/shared/logger/log.js';
import { exitInWords } from '../workers/worker-exit.js';
import type { WorkerHandle } from '../workers/worker-handle.js';
import type { WorkerPool } from '../workers/worker-pool.js';
import type { WorkerSlot } from '../workers/worker-slot.js';
import { READY_DEADLINE_MS, sendCanary, type Demands } from './canary.js';
import { ReplacementError, replaceWorker, titleOf, wasGivenUp } from './replacement.js';
import { StoppingError } from './stopping-error.js';

/**
 * Replaces every worker by one with `config`, and makes it the pool's. Resolves to what stopped it, if something did;
 * `pool.config` tells whether that was before the canary's success or after it.
 */
export async function rollingRestart(
  pool: WorkerPool,
  config: Config,
  log: Log,
): Promise<ReplacementError | StoppingError | undefined> {
  try {
    await new Roll(pool, config, log).run();
    return undefined;
  } catch (error) {
    if (error instanceof ReplacementError || error instanceof StoppingError) return error;
    throw error;
  }
}

class Roll {
  readonly #pool: WorkerPool;
  readonly #config: Config;
  readonly #log: Log;
  readonly #demands: Demands;
  /** Who took over. */
  readonly #placed = new Map<WorkerSlot, WorkerHandle>();

  constructor(pool: WorkerPool, config: Config, log: Log) {
    this.#pool = pool;
    this.#config = config;
    this.#log = log;
    this.#demands = whatTheOldSetDoes(pool);
  }

  async run(): Promise<void> {
    const [first] = this.#pool.slots;
    if (first) {
      this.#placed.set(first, await sendCanary(this.#pool, first, { config: this.#config, demands: this.#demands }));
    }
    this.#pool.adopt(this.#config);
    for (const slot of this.#pool.slots.slice(1)) {
      if (!this.#pool.isWanted(slot) || slot.current?.config === this.#config) continue;
      this.#lookAfterThePlaced();
      await this.#replace(slot);
    }
    await this.#awaitTheRest();
    if (this.#pool.stopping) throw new StoppingError();
    this.#lookAfterThePlaced();
  }

  async #replace(slot: WorkerSlot): Promise<void> {
    let handle: WorkerHandle;
    try {
      handle = await replaceWorker(this.#pool, slot, this.#config);
    } catch (error) {
      if (error instanceof StoppingError) throw error;
      if (wasGivenUp(this.#pool, slot)) return;
      throw new ReplacementError(
        `${reasonOf(error)} The workers before it have the new configuration, it and those after it still the old one.`,
      );
    }
    this.#placed.set(slot, handle);
    if (!this.#demands.ready || (await handle.until(() => handle.isConsuming, READY_DEADLINE_MS))) return;
    this.#lookAfterThePlaced();
    if (this.#pool.isWanted(slot)) this.#log.warn(`${handle.title} is not ready after 15 s; going on`);
  }

  /** Who came with a larger number, or had died before his turn. */
  async #awaitTheRest(): Promise<void> {
    for (let number = 1; number <= this.#pool.target; number++) {
      const slotNow = (): WorkerSlot | undefined => this.#pool.slots.find((slot) => slot.number === number);
      const isGood = (): boolean => {
        const current = slotNow()?.current;
        return current !== undefined && (this.#demands.ready ? current.isConsuming : current.hasBooted);
      };
      const isDecided = (): boolean => number > this.#pool.target || isGood() || this.#isInTrouble(slotNow());
      await this.#pool.until(isDecided, READY_DEADLINE_MS);
      const slot = slotNow();
      if (!slot || !this.#pool.isWanted(slot) || isGood()) continue;
      this.#lookAfterThePlaced();
      if (this.#isInTrouble(slot)) {
        throw new ReplacementError(
          `${titleOf(slot)} has the new configuration as all others, but its last process ${slot.trouble}.`,
        );
      }
      this.#log.warn(`${titleOf(slot)} is not ready after 15 s; going on`);
    }
  }

  /** By a process of the new configuration: the others do not speak against it. */
  #isInTrouble(slot: WorkerSlot | undefined): boolean {
    return slot?.trouble !== undefined && slot.troubledConfig === this.#config;
  }

  /** @throws ReplacementError when one of those who took over has died. */
  #lookAfterThePlaced(): void {
    for (const [slot, handle] of this.#placed) {
      if (!this.#pool.isWanted(slot) || handle.stage !== 'gone') continue;
      const others = this.#pool.slots.every(({ current }) => !current || current.config === this.#config)
        ? 'All workers have the new configuration.'
        : 'The workers before it have the new configuration, those after it may still have the old one.';
      throw new ReplacementError(
        `${handle.title} ${exitInWords(handle)} after it had taken over; it is started again. ${others}`,
      );
    }
  }
}

function whatTheOldSetDoes(pool: WorkerPool): Demands {
  const working = pool.slots.map((slot) => slot.current).filter((handle) => handle !== undefined);
  return {
    redis: working.some((handle) => handle.beat?.redisUp),
    ready: working.some((handle) => handle.isConsuming),
  };
}
