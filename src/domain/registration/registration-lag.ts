/**
 * When to ask the main server for a message that may not be registered there yet. Pure: time and chance are handed in.
 *
 * Producers enqueue a message and register it 20 to 90 ms later, with a TLS handshake and two commits between. Asked for
 * at once, every message of a quiet system is unknown (404). So the lag is learned, the age at which 72 % are registered:
 *
 *   young ──hold──▶ first look at that age ──404──▶ again after 20, 30, 45 ... ms ──404──▶ grace over: the attempt has failed
 *     └──one in ten: any time before──▶ first look ──404──▶ again at that age
 *
 * The later the first look, the fewer are asked for in vain, and the longer all others wait. With a lag spread evenly
 * over 20 to 90 ms and an answer in 8 ms, 72 % makes 0.31 looks in vain a message, and a median of 1.3 times what it
 * takes at least; 62 % 0.39 and 1.2, 78 % 0.24 and 1.4. Where many are registered much earlier than that age, there is
 * one more look at the time by which they are.
 *
 * What goes earlier learns what the others cannot: that the lag has vanished.
 */
import { ClockSkews } from './clock-skews.js';
import { LagSpread } from './lag-spread.js';

/** No message is held for longer. */
const MOST_HELD_MS = 250;
const REGISTERED = 0.72;
const REGISTERED_AT_NEXT_LOOK = 0.5;
/** A look in vain is worth as much as so many ms for one message. */
const LOOK_IN_VAIN_MS = 60;
const EARLY = 0.1;
/** One early message tells what ten of the others do not. */
const WEIGHT_OF_EARLY = 3;
/** Less is not worth a timer. */
const LEAST_HELD_MS = 5;
const FIRST_STEP_MS = 20;
const GROWTH = 1.5;
const LONGEST_STEP_MS = 1_000;
/** Where most are registered later than the next step, a look waits for them, but not for more than so many steps. */
const MOST_STEPS = 4;

/** A message that may be too young. */
export interface YoungMessage {
  /** When it was enqueued, on this process's monotonic clock. */
  readonly enqueuedAt: number;
  /** The age at which to ask for it first. */
  readonly firstLookMs: number;
  /** It is asked for before that, to learn. */
  readonly isEarly: boolean;
  /** It was older than that when it came. */
  readonly isPast: boolean;
}

interface Seen {
  readonly clientId: string;
  /** Since `queued_at`, on the wall clock. */
  readonly ageMs: number;
  /** It came while an empty queue was waited on. */
  readonly wasAwaited: boolean;
  /** Monotonic. */
  readonly now: number;
}

export class RegistrationLag {
  readonly #graceMs: number;
  readonly #random: () => number;
  readonly #skews = new ClockSkews();
  readonly #spread = new LagSpread();
  #lagMs = 0;
  #firstLookMs = 0;

  /**
   * @param graceMs WORKER_NOT_FOUND_GRACE; 0 = a message that is not known has failed, whatever its age, and none is held.
   * @param random from 0 to below 1.
   */
  constructor({ graceMs, random }: { readonly graceMs: number; readonly random: () => number }) {
    this.#graceMs = graceMs;
    this.#random = random;
  }

  /** The age at which most are registered; 0 = all are, or nothing is known. */
  get lagMs(): number {
    return this.#lagMs;
  }

  /** The one comparison that the others cost: a message of this age by its `queued_at` is none to be held or learned from. */
  get oldFromMs(): number {
    return this.#graceMs > 0 ? MOST_HELD_MS + this.#skews.largestMs : -Infinity;
  }

  /** Once for each message in its first attempt. */
  look({ clientId, ageMs, wasAwaited, now }: Seen): YoungMessage {
    const trueAgeMs = this.#skews.trueAge(clientId, ageMs, wasAwaited);
    const isHeld = this.#graceMs > 0 && trueAgeMs < this.#firstLookMs;
    const isEarly = isHeld && this.#random() < EARLY;
    const firstLookMs = isEarly ? this.#random() * Math.min(this.#lagMs, MOST_HELD_MS) : this.#firstLookMs;
    return { enqueuedAt: now - trueAgeMs, firstLookMs, isEarly, isPast: !isHeld };
  }

  /** How long to hold it before it is asked for, in ms. */
  holdMs({ enqueuedAt, firstLookMs }: YoungMessage, now: number): number {
    const ms = firstLookMs - (now - enqueuedAt);
    return ms > 1 ? ms : 0;
  }

  /**
   * How long to wait before it is asked for again, in ms; undefined = it is not young any more, and the attempt has failed.
   *
   * @param looks in vain so far.
   */
  againInMs({ enqueuedAt, isEarly }: YoungMessage, looks: number, now: number): number | undefined {
    const ageMs = now - enqueuedAt;
    const leftMs = this.#graceMs - ageMs;
    if (leftMs < (looks === 1 ? Number.MIN_VALUE : FIRST_STEP_MS)) return undefined;
    const steps = Math.max(0, looks - (isEarly ? 2 : 1));
    const stepMs = Math.min(LONGEST_STEP_MS, FIRST_STEP_MS * GROWTH ** steps);
    const soonMs = Math.min(this.#lagMs, MOST_HELD_MS) - ageMs;
    if (soonMs >= stepMs) return Math.min(leftMs, soonMs);
    const likelyMs = this.#spread.registeredBy(REGISTERED_AT_NEXT_LOOK, ageMs) - ageMs;
    return Math.min(leftMs, Math.max(stepMs, Math.min(likelyMs, MOST_STEPS * stepMs)));
  }

  /**
   * It was found registered. What never is teaches nothing, nor what came at an age at which all are: of a queue in which
   * each message waits for 200 ms a lag of 150 would be learned, since nobody sees that it is shorter.
   *
   * @param unknownAt when it was asked for in vain last, monotonic ms.
   * @param foundAt when the request was sent that found it.
   */
  registered({ enqueuedAt, isEarly, isPast }: YoungMessage, unknownAt: number | undefined, foundAt: number): void {
    const byMs = Math.max(0, foundAt - enqueuedAt);
    if (isPast && unknownAt === undefined && this.#spread.isSure(byMs)) return;
    const afterMs = unknownAt === undefined ? 0 : Math.max(0, unknownAt - enqueuedAt);
    this.#spread.note(afterMs, byMs, isEarly ? WEIGHT_OF_EARLY : 1);
    const lagMs = this.#spread.registeredBy(REGISTERED);
    this.#lagMs = lagMs <= LEAST_HELD_MS ? 0 : lagMs;
    const lastMs = Math.min(this.#lagMs, MOST_HELD_MS);
    this.#firstLookMs = lastMs === 0 ? 0 : this.#spread.lookBefore(lastMs, LOOK_IN_VAIN_MS);
  }
}
