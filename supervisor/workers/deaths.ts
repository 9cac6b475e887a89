import { EXIT_FAILURE } from '../../src/shared/errors.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Random } from '../../src/shared/time/random.js';
import { crashesInARow, restartDelayMs } from './restart-policy.js';
import { exitInWords, fatalityOf, type Fatality } from './worker-exit.js';
import type { WorkerHandle } from './worker-handle.js';
import type { WorkerSlot } from './worker-slot.js';

interface DeathsOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
}

/** How things stand with all workers when one process ends. */
interface Circumstances {
  readonly stopping: boolean;
  /** Some worker has been ready: starts can succeed. */
  readonly everReady: boolean;
}

/** What follows from the end of a process: a line in the log, and a delay for its place or the end of everything. */
export class Deaths {
  readonly #options: DeathsOptions;
  #fatal: Fatality | undefined;
  /** Processes that had been at work, did not stop in time and got SIGKILL during the stop. */
  #forced = 0;

  constructor(options: DeathsOptions) {
    this.#options = options;
  }

  /** Why no start can succeed. */
  get fatal(): Fatality | undefined {
    return this.#fatal;
  }

  /** Of the whole program, once everything has stopped. */
  get exitCode(): number {
    return this.#fatal?.exitCode ?? (this.#forced > 0 ? EXIT_FAILURE : 0);
  }

  /** The slot's process is gone; the slot has forgotten it. */
  note(slot: WorkerSlot, handle: WorkerHandle, now: Circumstances & { readonly wasCurrent: boolean }): void {
    if (now.wasCurrent && !handle.wasAskedToEnd) this.#crashed(slot, handle, now);
    else this.#ended(handle, now);
  }

  #ended(handle: WorkerHandle, { stopping }: Circumstances): void {
    const { log } = this.#options;
    const clean = handle.wasAskedToEnd && (handle.exit?.code === 0 || handle.activatedAt === undefined);
    if (clean) log.info(`${handle.title} has stopped`);
    else log.warn(`${handle.title} ${exitInWords(handle)}`);
    if (stopping && handle.killedBecause !== undefined && handle.activatedAt !== undefined) this.#forced += 1;
  }

  #crashed(slot: WorkerSlot, handle: WorkerHandle, { stopping, everReady }: Circumstances): void {
    const { clock, log, random } = this.#options;
    const words = exitInWords(handle);
    slot.trouble = words;
    slot.troubledConfig = handle.config;
    slot.restarts += 1;
    if (handle.hung) slot.hangs += 1;
    if (handle.hasBooted) slot.bootCrashes = slot.slowBoots = 0;
    else if (handle.killedBecause !== undefined)
      slot.slowBoots += 1; // slow, or stuck
    else slot.bootCrashes += 1;
    if (!everReady && !stopping) this.#fatal ??= fatalityOf(handle, slot.bootCrashes);
    if (this.#fatal || stopping) return log.error(`${handle.title} ${words}`);

    slot.crashesInARow = crashesInARow(slot.crashesInARow, clock.now() - (handle.activatedAt ?? clock.now()));
    const delay = restartDelayMs(slot.crashesInARow, random());
    slot.startAt = clock.now() + delay;
    log.error(`${handle.title} ${words}; starting it again in ${delay} ms`);
  }
}
