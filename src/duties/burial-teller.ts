import { RedisClock } from '../domain/clocks/redis-clock.js';
import { AFTERMATH_MS, LONGEST_PUT_MS, TELLING_MS } from '../domain/clocks/telling-window.js';
import type { DeliveryOutcome } from '../domain/delivery-outcome.js';
import { hasBeenTold } from '../domain/end-of-telling.js';
import type { UntoldBurial, UntoldQueue } from '../queue/background-queue.js';
import type { Log } from '../shared/logger/log.js';
import type { Clock } from '../shared/time/clock.js';
import { Deadline, momentOf } from '../shared/time/deadline.js';
import type { Random } from '../shared/time/random.js';
import { printable } from '../shared/words/escape.js';
import type { Duty } from './duty-failures.js';
import { createRepeatingDuty } from './repeating-duty.js';

/** As many PUTs at once from each worker: after an outage there may be thousands, and deliveries go on beside them. */
const AT_ONCE = 8;
/** Another process may bury something meanwhile; each worker looks as often. */
const LOOK_EVERY_MS = 1_000;
/** A main server that cannot be reached is asked less and less. */
const LONGEST_PAUSE_MS = 60_000;

interface BurialTellerOptions {
  readonly queue: UntoldQueue;
  /** PUTs `failed`. Resolves to undefined when the message is in hand now: what becomes of that is not known yet. */
  readonly tell: (
    burial: UntoldBurial,
    deadline: Deadline,
    signal: AbortSignal,
  ) => Promise<DeliveryOutcome | undefined>;
  /** How many status PUTs may be under way at once. */
  readonly places: () => number;
  /** False while deliveries are paused. */
  readonly mayTell: () => Promise<boolean>;
  /** MAIN_SERVER_TIMEOUT. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Tells the main server of burials that it has not heard of, outside the slots. Every worker does it; what one of them
 * tells is withheld from the others, and from replay and purge, for longer than its PUT can last.
 */
export function createBurialTeller(options: BurialTellerOptions): Duty {
  const { queue, clock, log } = options;
  const stopped = new AbortController();
  const teller = new BurialTeller(options, stopped.signal);
  const duty = createRepeatingDuty({
    name: 'telling of burials',
    isVital: false,
    isReady: () => queue.isReady(),
    step: () => teller.step(),
    retryMs: LOOK_EVERY_MS,
    clock,
    log,
  });
  return {
    get trouble() {
      return duty.trouble;
    },
    start: () => duty.start(),
    /** Cuts what is being sent: it is told again when its time is over, by whoever is there then. */
    stop() {
      stopped.abort();
      return duty.stop();
    },
  };
}

class BurialTeller {
  readonly #options: BurialTellerOptions;
  readonly #signal: AbortSignal;
  readonly #putMs: number;
  /** Set ahead, it ends no telling of others, and no wait for a status of the failure before a cancel. */
  readonly #redisClock = new RedisClock(TELLING_MS);
  #pauseMs = LOOK_EVERY_MS;

  constructor(options: BurialTellerOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#putMs = Math.min(options.timeoutMs, LONGEST_PUT_MS);
  }

  /** Resolves to the ms until the next look. */
  async step(): Promise<number> {
    const { queue, mayTell, places, clock } = this.#options;
    if (!(await mayTell())) return this.#scattered(LOOK_EVERY_MS);
    // before Redis gives them: it counts their time from later on
    const deadline = new Deadline(this.#putMs, clock, momentOf(clock));
    const sentAt = clock.now();
    // more would wait, and deliveries with them for as long: each that waits keeps the next place free
    const most = Math.max(1, Math.min(AT_ONCE, places()));
    const reply = await queue.takeUntold(most, this.#putMs + AFTERMATH_MS, this.#redisClock.latest(sentAt));
    const { taken, nextDueMs, redisNow } = reply;
    this.#redisClock.heard({ sentAt, heardAt: clock.now(), redisNow });
    const ends = await Promise.allSettled(taken.map((burial) => this.#tell(burial, deadline)));
    const refused = ends.find((end) => end.status === 'rejected');
    if (refused) throw refused.reason;
    const wasAway = ends.some((end) => end.status === 'fulfilled' && end.value === 'away');
    if (wasAway) return this.#scattered((this.#pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * this.#pauseMs)));
    this.#pauseMs = LOOK_EVERY_MS;
    if (taken.length === most) return 0;
    return this.#scattered(Math.min(LOOK_EVERY_MS, Math.max(nextDueMs ?? LOOK_EVERY_MS, LOOK_EVERY_MS / 10)));
  }

  /** `away`: the main server cannot be reached now. */
  async #tell(burial: UntoldBurial, deadline: Deadline): Promise<'away' | 'answered'> {
    const { queue, tell, log } = this.#options;
    const outcome = await tell(burial, deadline, this.#signal);
    if (outcome?.kind === 'aborted') return 'answered';
    const id = printable(burial.messageId, 255);
    if (outcome && hasBeenTold(outcome)) {
      await queue.endTelling(burial, 'told');
      log.info(`Told the main server that message ${id} failed`);
      return 'answered';
    }
    const isOpen = outcome?.kind === 'failed' && outcome.fateUnknown;
    if (outcome?.kind === 'failed') {
      log.debug(`Message ${id} could not be marked as failed yet (${outcome.errorMessage})`);
    }
    await queue.endTelling(burial, isOpen ? 'open' : 'again');
    return outcome?.kind === 'failed' && !outcome.reachable ? 'away' : 'answered';
  }

  /** Not all workers at once. */
  #scattered(ms: number): number {
    return ms * (0.75 + 0.5 * this.#options.random());
  }
}
