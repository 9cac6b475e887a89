/**
 * How long a process may keep us waiting.
 *
 * Time alone does not tell one that hangs from one that the host keeps waiting for a core: with a tenth of a core, 64
 * workers boot for minutes, and whoever kills them for it lets them begin anew for ever. So what a process was given counts:
 *
 *   booting   until 30 s pass in which it neither used the CPU nor said a word; or until it has used a minute of CPU time, or
 *             idled for 5 min in all: on a host without time for it, it waits for the CPU, which is not idling
 *   at work   until 10 s pass without a beat; one that wants the CPU and hardly gets it has until it has used a second of it
 *
 * Where CPU time is not known (effort.ts), time alone decides.
 */
import type { Clock } from '../../src/shared/time/clock.js';
import type { Effort } from './effort.js';

/** A booting process that does nothing for so long is given up; a boot is half a second of CPU time. */
export const BOOT_LIMIT_MS = 30_000;
/** More CPU time than 100 boots: it turns in circles. */
const BOOT_CPU_LIMIT_MS = 60_000;
/** So many times that limit in all, though it did something now and then. */
const IDLE_LIMITS = 10;
/** Each ms of CPU time excuses so many: what uses 2 % of a core, and is not kept waiting, idles. */
const EXCUSED_PER_CPU_MS = 50;
/** Ten missed beats: longer than any pause of a healthy loop, short enough for messages to be tried again within 12 s. */
export const BEAT_LIMIT_MS = 10_000;
/** From here on nobody is told that it works, though it is too early to kill it. */
const SILENT_MS = 3_000;
/** A turn of the loop takes milliseconds: one that had this much CPU time since its last beat is blocked. */
const BLOCKED_CPU_MS = 1_000;
/** A process that is stopped or waits for what never comes uses less. */
const SIGN_OF_WORK_MS = 50;
/** How soon one that was given more time is looked at again. */
const LOOK_AGAIN_MS = 250;

interface PatienceOptions {
  readonly clock: Clock;
  /** Undefined = not known. */
  readonly effort: () => Effort | undefined;
  readonly bootLimitMs: number;
}

export class Patience {
  readonly #options: PatienceOptions;
  #heardAt: number;
  /** As it was when progress was last seen; in a silence, when it was first looked at. */
  #seen: Effort | undefined;
  /** Of a boot: when it was looked at last, and how long it has idled in all. */
  #lookedAt: number;
  #idleMs = 0;

  constructor(options: PatienceOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
    this.#lookedAt = this.#heardAt;
  }

  /** When it gave its last sign of life, monotonic ms. */
  get heardAt(): number {
    return this.#heardAt;
  }

  get isSilent(): boolean {
    return this.#quietMs > SILENT_MS;
  }

  /** It said something that proves that it turns. */
  heard(): void {
    this.#heardAt = this.#options.clock.now();
    this.#seen = undefined;
  }

  /** Of a process that has not booted. To be asked about once a second, since it is in the asking that progress is seen. */
  bootIsOver(): boolean {
    const { bootLimitMs } = this.#options;
    const effort = this.#options.effort();
    if (effort) {
      if (effort.cpuMs >= BOOT_CPU_LIMIT_MS) return true;
      const usedMs = effort.cpuMs - (this.#seen?.cpuMs ?? 0);
      if (usedMs > 0) this.#heardAt = this.#options.clock.now();
      this.#seen = effort;
      this.#noteIdle(effort, usedMs);
    }
    return this.#quietMs >= bootLimitMs || this.#idleMs >= IDLE_LIMITS * bootLimitMs;
  }

  /** Of a process at work. As above. */
  hangs(): boolean {
    if (!this.isSilent) return false;
    const effort = this.#options.effort();
    this.#seen ??= effort;
    return this.#quietMs >= BEAT_LIMIT_MS && !isStarved(this.#seen, effort);
  }

  /** Until the answer may be another, ms. */
  dueInMs(stage: 'booting' | 'active'): number {
    const limitMs = stage === 'booting' ? this.#options.bootLimitMs : BEAT_LIMIT_MS;
    const leftMs = limitMs - this.#quietMs;
    return leftMs > 0 ? leftMs : LOOK_AGAIN_MS;
  }

  /** One that waits for the CPU, in whatever thread, cannot help it; nor can one that waits for its own threads. */
  #noteIdle({ wantsCpu, threadWantsCpu }: Effort, usedMs: number): void {
    const now = this.#options.clock.now();
    const passedMs = now - this.#lookedAt;
    this.#lookedAt = now;
    if (!wantsCpu && !threadWantsCpu) this.#idleMs += Math.max(0, passedMs - EXCUSED_PER_CPU_MS * usedMs);
  }

  get #quietMs(): number {
    return this.#options.clock.now() - this.#heardAt;
  }
}

function isStarved(before: Effort | undefined, now: Effort | undefined): boolean {
  if (!before || !now) return false;
  const usedMs = now.cpuMs - before.cpuMs;
  return usedMs < BLOCKED_CPU_MS && (now.wantsCpu || usedMs >= SIGN_OF_WORK_MS);
}
