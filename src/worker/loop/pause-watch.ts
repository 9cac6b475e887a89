/**
 * Looks whether deliveries are paused, and says that this consumer keeps the pause once nothing can begin any more
 * (domain/pause/pause-gate.ts): that is so from the moment in which the gate is shut, since everything that begins asks it.
 * What is in flight goes on.
 *
 * Exchanges and blocking pops look in passing, and those looks spare ours: an idle worker asks once every two seconds beside
 * them, a busy one never. While there is a pause we look by ourselves, each second.
 */
import { PauseGate } from '../../domain/pause/pause-gate.js';
import { readPause, type Pause } from '../../domain/pause/pause.js';
import type { PauseLook, PauseQueue } from '../../queue/background-queue.js';
import { reasonOf, RedisUnavailableError } from '../../shared/errors.js';
import type { Life } from '../../shared/life.js';
import type { Log } from '../../shared/logger/log.js';
import type { Clock, Timer } from '../../shared/time/clock.js';
import { momentOf } from '../../shared/time/deadline.js';
import { Wake } from '../../shared/time/wake.js';
import { asSentence } from '../../shared/words/causes.js';
import { pausedBy } from '../../shared/words/paused.js';

/** At least once a second, with the time that a busy process takes. */
const LOOK_EVERY_MS = 900;
const TRY_AGAIN_MS = 250;
/** Half of the stall that is to be noticed. */
const AWAKE_EVERY_MS = 500;

interface PauseWatchOptions {
  readonly queue: PauseQueue;
  /** Nobody else tells the operator. */
  readonly isAlone: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

interface Look {
  readonly doubts: number;
  readonly done: Promise<void>;
}

export class PauseWatch implements Life {
  readonly #options: PauseWatchOptions;
  readonly #gate = new PauseGate();
  readonly #wake: Wake;
  readonly #listeners: (() => void)[] = [];
  #kept: { readonly text: string; readonly pause: Pause; readonly since: number } | undefined;
  #shutUntil: number | undefined;
  #dueAt = -Infinity;
  #looking: Look | undefined;
  #refusal: string | undefined;
  #running: Promise<void> | undefined;
  #stopping = false;
  #alive: Timer | undefined;

  constructor(options: PauseWatchOptions) {
    this.#options = options;
    this.#wake = new Wake(options.clock);
  }

  /** Nothing speaks against the beginning of a message. */
  get isOpen(): boolean {
    return this.#gate.isOpen;
  }

  get isPaused(): boolean {
    return this.#gate.isShut;
  }

  /** When deliveries were last known to be paused, monotonic ms; undefined = never. */
  get lastPausedAt(): number | undefined {
    return this.isPaused ? this.#options.clock.now() : this.#shutUntil;
  }

  start(): void {
    if (!this.#stopping) this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake.wake();
    await this.#running;
  }

  /** Calls when a pause is seen to begin, and when it is over. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Somebody has looked in passing. */
  seen(isPaused: boolean): void {
    this.awake();
    const { now } = this.#now;
    if (isPaused === this.isPaused) {
      this.#gate.sawNone(now);
      if (this.isOpen) this.#dueAt = now + LOOK_EVERY_MS;
      return;
    }
    if (isPaused) this.#gate.doubt();
    this.#hurry();
  }

  /** To be called by what goes on by itself: a long time between two calls is a stall. */
  awake(): void {
    // before its own timer runs, every rest of the loop would be a stall
    if (!this.#alive) return;
    const { doubts } = this.#gate;
    this.#gate.awake(this.#now);
    if (this.#gate.doubts !== doubts) this.#hurry();
  }

  /** Whether what was held may be begun now; looks where that is not known. Never rejects. */
  async mayBegin(): Promise<boolean> {
    this.awake();
    if (!this.isOpen || !this.#gate.hasLooked(this.#now.now)) await this.#look();
    return this.isOpen;
  }

  get #now() {
    return momentOf(this.#options.clock);
  }

  #hurry(): void {
    this.#dueAt = -Infinity;
    this.#wake.wake();
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    this.#alive = clock.every(AWAKE_EVERY_MS, () => this.awake());
    while (!this.#stopping) {
      this.awake();
      if (clock.now() >= this.#dueAt) await this.#look();
      if (!this.#stopping) await this.#wake.sleep(Math.max(0, this.#dueAt - clock.now()));
    }
    this.#alive.cancel();
  }

  /** One at a time: what an older one has found must not undo what a newer one has noted in Redis. */
  async #look(): Promise<void> {
    while (this.#looking) {
      const { doubts, done } = this.#looking;
      await done;
      if (doubts === this.#gate.doubts) return;
    }
    const { doubts } = this.#gate;
    const done = this.#ask(doubts).finally(() => (this.#looking = undefined));
    this.#looking = { doubts, done };
    await done;
  }

  async #ask(doubts: number): Promise<void> {
    const { queue, clock } = this.#options;
    this.#dueAt = clock.now() + TRY_AGAIN_MS;
    if (!queue.isReady()) return;
    try {
      const kept = this.#kept && { text: this.#kept.text, ...this.#kept.pause };
      this.#found(await queue.lookAtPause(kept), doubts);
    } catch (error) {
      // the outage is told by others, and what was known stands
      if (!(error instanceof RedisUnavailableError)) throw error;
      this.#options.log.debug(`Could not look whether deliveries are paused: ${reasonOf(error)}`);
    }
  }

  #found({ text, leftMs, refusal }: PauseLook, doubts: number): void {
    const { now, wallNow } = this.#now;
    const wasPaused = this.isPaused;
    const wasOpen = this.isOpen;
    this.#gate.found(text !== undefined, { doubts, now });
    this.#sayRefusal(refusal, text);
    const isKnown = text === this.#kept?.text;
    // one that is seen for the first time is confirmed at once
    if (isKnown && doubts === this.#gate.doubts) this.#dueAt = now + LOOK_EVERY_MS;
    else this.#hurry();
    if (text === undefined) this.#ended(now);
    else if (!isKnown) this.#begun(text, leftMs === undefined ? undefined : wallNow + leftMs);
    if (wasPaused !== this.isPaused || wasOpen !== this.isOpen) for (const listener of this.#listeners) listener();
  }

  #begun(text: string, endsAtMs: number | undefined): void {
    const pause = readPause(text);
    this.#kept = { text, pause, since: this.#kept?.since ?? this.#now.now };
    const said = pausedBy({ ...pause, untilMs: pause.untilMs ?? endsAtMs });
    this.#say('warn', `${asSentence(said)}; what is in flight goes on`);
  }

  #ended(now: number): void {
    if (!this.#kept) return;
    const lasted = Math.round((now - this.#kept.since) / 1_000);
    this.#kept = undefined;
    this.#shutUntil = now;
    this.#say('info', `Deliveries go on: the pause is over after ${lasted} s`);
  }

  /** A supervisor says it for all of its workers. */
  #say(level: 'info' | 'warn', text: string): void {
    const { isAlone, log } = this.#options;
    log[isAlone ? level : 'debug'](text);
  }

  /** Once each. */
  #sayRefusal(refusal: string | undefined, text: string | undefined): void {
    if (refusal === this.#refusal) return;
    this.#refusal = refusal;
    if (refusal === undefined) return;
    if (text === undefined)
      this.#say('warn', `It cannot be seen whether deliveries are paused, so they go on: ${refusal}`);
    else this.#options.log.warn(`The pause is kept, and Redis does not let us say so: ${refusal}`);
  }
}
