import type { ToChild } from '../../../../src/shared/ipc.js';
import type { Clock, Timer } from '../../../../src/shared/time/clock.js';
import { READY, ScriptedChild } from './scripted-child.js';

const LISTENS_MS = 50;
const BOOTS_MS = 200;
const ANSWERS_MS = 10;
const BEAT_MS = 1_000;
const DRAINS_MS = 500;
/** As with a real one, the end is never told within the call that brings it about. */
const DIES_MS = 1;

/**
 * Does in the test's time what a real child does, but for what `queue.name` of its configuration says, a word for each fault:
 *
 *   boot-failed:<code>   says so and exits 78        never-boots          says nothing
 *   dies-at-boot         exits 1 before `booted`     no-redis             boots without having reached Redis
 *   no-route             boots, and the main server has no route for deliveries
 *   never-ready          beats, but stays degraded   dies-when-activated  exits 1 in place of its first beat
 *   short-of-breath      is ready once, and degraded from its second beat on
 *   ignores-drain        does not react to `drain` and `kill`
 */
export class ObedientChild extends ScriptedChild {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  #faults: readonly string[] = [];
  #hangs = false;
  #beats = 0;

  constructor(pid: number, clock: Clock) {
    super(pid);
    this.#clock = clock;
    this.#after(LISTENS_MS, () => this.says({ type: 'hello' }));
  }

  /** Its loop stands still from now on: no beat, no answer. */
  hang(): void {
    this.#hangs = true;
  }

  override send(message: ToChild): void {
    super.send(message);
    if (this.#hangs) return;
    if (message.type === 'configure') {
      this.#faults = message.config.queue.name.split(' ');
      this.#after(BOOTS_MS, () => this.#boot());
    }
    if (message.type === 'activate') this.#activate();
    if (message.type === 'quiet') this.#after(ANSWERS_MS, () => this.says({ type: 'quieted' }));
    if (this.#has('ignores-drain')) return;
    if (message.type === 'drain') this.#after(DRAINS_MS, () => this.#exit(0));
    if (message.type === 'kill') this.#after(ANSWERS_MS, () => this.#exit(0));
  }

  override killNow(): void {
    super.killNow();
    this.#after(DIES_MS, () => this.dies('SIGKILL'));
  }

  dies(signal: string): void {
    this.#forgetTimers();
    this.ends({ signal });
  }

  #has(fault: string): boolean {
    return this.#faults.includes(fault);
  }

  #boot(): void {
    const failure = this.#faults.find((word) => word.startsWith('boot-failed:'));
    if (failure !== undefined) {
      this.says({ type: 'boot-failed', code: failure.slice('boot-failed:'.length), message: 'it was told to fail' });
      this.#after(ANSWERS_MS, () => this.#exit(78));
    } else if (this.#has('dies-at-boot')) {
      this.#exit(1);
    } else if (!this.#has('never-boots')) {
      this.says({ type: 'booted', redisReached: !this.#has('no-redis'), hasRoute: !this.#has('no-route') });
    }
  }

  #activate(): void {
    if (this.#has('dies-when-activated')) return this.#after(ANSWERS_MS, () => this.#exit(1));
    this.#after(ANSWERS_MS, () => this.#beat());
    this.#timers.add(this.#clock.every(BEAT_MS, () => this.#beat()));
  }

  #beat(): void {
    if (this.#hangs) return;
    const degraded = { ...READY, state: 'degraded' as const, reasons: ['it was told to be'], consuming: false };
    this.#beats += 1;
    const isWell = !this.#has('never-ready') && !(this.#has('short-of-breath') && this.#beats > 1);
    this.beats(isWell ? READY : degraded);
  }

  #exit(code: number): void {
    this.#forgetTimers();
    this.ends({ code });
  }

  #after(ms: number, action: () => void): void {
    this.#timers.add(this.#clock.after(ms, action));
  }

  #forgetTimers(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
