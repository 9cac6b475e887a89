/**
 * How many deliveries one worker has in flight, found from how long they take.
 *
 *   first ──a round──▶ measuring ──two rounds──▶ growing ──more waits than its share──▶ resting ──rounds over──▶ growing
 *                          ▲                        └──────────the base is 2 s old──────────┤
 *                          └────────────────────────────────────────────────────────────────┘ (and back to where it was)
 *   any ──halve()──▶ resting; any ──restart()──▶ growing, from 1
 *
 * first:     4, and 12 for the fleet, until the first round is over. Then one at a time, which is the first base.
 * growing:   a round that was full and saw nothing wait raises the limit by 1, 2, 4, ...: to its double as long as it is
 *            below 4, then by a quarter at most; by 1 where deliveries begin to take longer.
 * resting:   a round that saw more wait than this worker's share lowers it, to its half at most, and the next try comes 2
 *            rounds later; after each try that failed twice as many, up to 32, or each worker of a fleet would spend half
 *            of its time above what the server bears.
 * measuring: half of it for two rounds, to see how long a delivery takes for which nobody waits.
 *
 * It is TCP Vegas (Brakmo, 1994): what waits = in flight × (1 - base / time), kept at about one request for the fleet.
 * It departs from it where Vegas fails here; docs/flow has the comparison, which is a test:
 *
 * - Times are geometric means of a round, not the smallest ever seen: at a server whose answers take 5 to 50 ms all but
 *   the smallest would pass for waiting. One answer in a hundred that takes ten times as long moves the mean by 2 %.
 *   What a mean of so few answers may be off by is allowed for, in favour of going on.
 * - The base may rise as well, but only by measuring. Who measures lets the others see a lower base, and so their next
 *   measurements fall on the same moment and show what a delivery takes when nobody waits (BBR's ProbeRTT does so, too).
 *   With any other rule workers that wait for each other take that for the server's speed, and all climb.
 * - What waits for our own processor is not at the server: of a round during which our event loop had work for a share s
 *   of the time, 1 - s of the delivery time counts. And nobody waits within SLACK_MS.
 *
 * A round ends after as many answers as are in flight, 4 or more, and 2 ms or more: nothing is decided per message, and
 * nothing allocated. After a change of the limit as many answers as it allows are left out: they are those of before, or
 * the quickest of the new, and say nothing of how it goes on.
 *
 * Owned by one worker. Times are monotonic milliseconds.
 */
import type { FleetShare } from './fleet-share.js';

const LEAST_ANSWERS = 4;
/** Where answers vary much a round goes on to this many. */
const MOST_ANSWERS = 32;
/** Standard error of the mean logarithm with which a round is good enough: 15 %. */
const GOOD_ERROR = 0.15;
const LEAST_ROUND_MS = 2;
/** Of a new round in the variance that is believed: four answers in a row may be alike by chance. */
const OF_NEW_ROUND = 0.2;

/** Up to this share above the base nobody is said to wait: servers, networks and hosts vary. */
const TOLERANCE = 1.05;
const SLACK_MS = 1;
/** What a mean may be off by, in standard errors: before somebody is said to wait, and before the base counts as another. */
const DOUBT = 1.5;
const SURELY = 4;
/** As long as deliveries take no longer than this share above the base the limit grows fast. */
const FLAT = 1.05;

/** At the start, and of all workers together: a server of which nothing is known bears as many. */
const FIRST = 4;
const FIRST_OF_FLEET = 12;

const LEAST_REST = 2;
const MOST_REST = 32;
const FAST_BELOW = 4;
const FAST_SHARE = 0.25;

const MEASURING_ROUNDS = 2;
const MEASURE_EVERY_MS = 2_000;
/** In times of how long the last one took: it costs no more than a sixtieth of the throughput. */
const MEASURE_AFTER = 30;

export class ConcurrencyLimit {
  readonly #options: ConcurrencyLimitOptions;
  #limit: number;
  #step = 1;
  /** Rounds before the limit may grow, and how many they were after the last failure. */
  #rest = 0;
  #lastRest = 1;
  /** How long a delivery takes for which nobody waits. */
  #baseMs: number | undefined;
  #baseSeenAt = 0;
  /** Of the logarithm of a delivery's time, within a round. */
  #variance = 0;
  /** Rounds to go. */
  #measuring = 0;
  #measuredMs = 1;
  #measuringSince = 0;
  #measuringTookMs = 0;
  #limitAfter = 1;
  #limitBefore = 0;
  // of this round:
  #skip = 0;
  #beganAt = 0;
  #busyMs = 0;
  #count = 0;
  #sum = 0;
  #squares = 0;
  #isFull = false;

  constructor(options: ConcurrencyLimitOptions) {
    this.#options = options;
    this.#limit = Math.min(FIRST, options.most);
  }

  /** Whole, 1 or more. */
  get limit(): number {
    return this.#baseMs === undefined ? Math.min(this.#limit, this.#first) : Math.floor(this.#limit);
  }

  /** Fewer than may be begun at a server of which nothing is known. */
  get isBelowFirst(): boolean {
    return this.limit < this.#first;
  }

  /** Before anything is known of the server. */
  get #first(): number {
    const { most, share } = this.#options;
    return Math.max(1, Math.min(FIRST, most, Math.floor(FIRST_OF_FLEET / share.consumers)));
  }

  /** More would have been begun if the limit had been higher. */
  full(): void {
    this.#isFull = true;
  }

  /** A delivery was answered after `ms`. */
  answered(ms: number, now: number): void {
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    const log = Math.log(Math.max(ms, 0.01));
    this.#count += 1;
    this.#sum += log;
    this.#squares += log * log;
    if (this.#count < LEAST_ANSWERS || this.#count < this.limit || now - this.#beganAt < LEAST_ROUND_MS) return;
    this.#mayEnd(now);
  }

  /** It is what the server bears that holds it, and not how little was wanted so far. */
  get isHeld(): boolean {
    return this.#lastRest > 1;
  }

  /** The server has had too much. */
  halve(now: number): void {
    this.#lower(this.#limit / 2);
    this.#newRound(now);
  }

  /** From one again, as fast as at first. */
  restart(now: number): void {
    this.#limit = 1;
    this.#step = 1;
    this.#rest = 0;
    this.#lastRest = 1;
    this.#measuring = 0;
    this.#newRound(now);
  }

  /** What is in flight hangs, and the server is well: as many as at the start may be begun. */
  pass(): void {
    if (this.#measuring === 0) this.#limit = Math.max(this.#limit, this.#first);
  }

  #mayEnd(now: number): void {
    const mean = this.#sum / this.#count;
    const variance = Math.max(0, (this.#squares - this.#count * mean * mean) / (this.#count - 1));
    const error = Math.sqrt(Math.max(variance, this.#variance) / this.#count);
    if (error > GOOD_ERROR && this.#count < MOST_ANSWERS) return;
    this.#variance += (variance - this.#variance) * OF_NEW_ROUND;
    this.#judge(Math.exp(mean), error, now);
    this.#newRound(now);
  }

  #judge(ms: number, error: number, now: number): void {
    const isFirst = this.#baseMs === undefined;
    const base = this.#noteBase(ms, error, now);
    if (isFirst) {
      this.#limit = 1;
      return this.#measure(1, now);
    }
    if (this.#measuring > 0) return this.#measured(ms, error, now);
    const { share, most } = this.#options;
    const atServerMs = ms * this.#idleShare(now);
    const allowedMs = base * TOLERANCE * Math.exp(DOUBT * error) + SLACK_MS;
    const waiting = (this.limit * Math.max(0, atServerMs - allowedMs)) / ms;
    const bearable = 1 / share.consumers;
    if (waiting > bearable && this.limit > 1) this.#lower(this.limit - waiting + bearable);
    else if (this.#isBaseOld(now) && this.limit < most) this.#measure(this.#limit / 2, now);
    else if (this.#rest > 0) this.#rest -= 1;
    else if (this.#isFull && waiting < bearable / 2) this.#grow(atServerMs <= base * FLAT + SLACK_MS);
  }

  #noteBase(ms: number, error: number, now: number): number {
    if (this.#baseMs === undefined || ms * Math.exp(SURELY * error) < this.#baseMs) {
      this.#baseMs = ms;
      this.#baseSeenAt = now;
    }
    return this.#baseMs;
  }

  #isBaseOld(now: number): boolean {
    return now - this.#baseSeenAt > Math.max(MEASURE_EVERY_MS, MEASURE_AFTER * this.#measuringTookMs);
  }

  /** Of this round, the part in which our event loop had nothing to do. */
  #idleShare(now: number): number {
    const elapsed = now - this.#beganAt;
    const busy = this.#options.loopBusyMs() - this.#busyMs;
    return elapsed > 0 ? Math.min(1, Math.max(0, 1 - busy / elapsed)) : 1;
  }

  #grow(isFlat: boolean): void {
    const { most, share } = this.#options;
    if (isFlat && this.#step > 1) this.#lastRest = 1;
    if (!isFlat) {
      this.#step = 1;
      this.#rest = share.consumers - 1; // so that the fleet grows by one a round
    }
    const fast = this.#limit < FAST_BELOW ? this.#limit : this.#limit * FAST_SHARE;
    this.#limit = Math.min(most, this.#limit + Math.max(1, Math.min(this.#step, fast)));
    if (isFlat) this.#step *= 2;
  }

  #lower(limit: number): void {
    this.#measuring = 0;
    this.#limit = Math.max(1, limit, this.#limit / 2);
    this.#step = 1;
    this.#lastRest = Math.min(MOST_REST, this.#lastRest * LEAST_REST);
    this.#rest = this.#lastRest;
  }

  #measure(limit: number, now: number): void {
    this.#limitAfter = this.#limit;
    this.#limit = Math.max(1, limit);
    this.#measuring = MEASURING_ROUNDS;
    this.#measuringSince = now;
    this.#measuredMs = 1;
  }

  #measured(ms: number, error: number, now: number): void {
    this.#measuring -= 1;
    this.#measuredMs *= ms ** (1 / MEASURING_ROUNDS);
    if (this.#measuring > 0) return;
    this.#limit = this.#limitAfter;
    const base = this.#baseMs ?? this.#measuredMs;
    const isNear = Math.abs(Math.log(this.#measuredMs / base)) < SURELY * error;
    this.#baseMs = isNear ? Math.sqrt(base * this.#measuredMs) : this.#measuredMs;
    this.#baseSeenAt = now;
    this.#measuringTookMs = now - this.#measuringSince;
  }

  #newRound(now: number): void {
    this.#skip = this.limit === this.#limitBefore ? 0 : this.limit;
    this.#limitBefore = this.limit;
    this.#beganAt = now;
    this.#busyMs = this.#options.loopBusyMs();
    this.#count = 0;
    this.#sum = 0;
    this.#squares = 0;
    this.#isFull = false;
  }
}

interface ConcurrencyLimitOptions {
  /** WORKER_CONCURRENCY. */
  readonly most: number;
  readonly share: FleetShare;
  /** For how long our event loop has had work since some moment, in ms: performance.eventLoopUtilization().active. */
  readonly loopBusyMs: () => number;
}
