/**
 * A worker's part of what the whole fleet may have in flight at the main server.
 *
 *   unknown ──first allotment──▶ settled ◀──▶ giving up: it begins no more than its limit, and what it gave up is the
 *                                   ▲            others' once it says that it uses it no more
 *                                   └──────▶ asking: its limit is below its share, since others have yet to give up theirs
 *   any ──leave()──▶ leaving: limit 0; ──moved(): its lease was lost──▶ unknown, under another name
 *
 * Each worker keeps a note in Redis of how many slots it may be using, and share.lua lets nobody take more than the notes
 * of the others leave. So the sum is bounded by what is written and not by who knows what when: a worker's use never
 * exceeds its note, since it takes more only after a reply that noted it, and promises less before it is noted. A promise
 * holds from the moment it is sent, whatever becomes of the reply; one that comes late is known by its number and dropped.
 * Notes of dead workers count until their claims are recovered.
 *
 * One report at a time. Times are monotonic milliseconds.
 */

/** What a worker knows of the others on its queue, and what they leave to it. */
export interface FleetShare {
  /**
   * Workers on this queue whose lease has not run out, this one among them: as of the last renewal, at most 4 s ago. One that
   * died counts until its claims are recovered, one that drains until it is gone; Python workers have no lease.
   */
  readonly consumers: number;
  /** What this worker may have in flight at most; undefined = the fleet has no cap. */
  readonly inFlightCap: number | undefined;
}

/** What a worker says of itself when it asks for its share. */
export interface ShareReport {
  /** Grows with each report. */
  readonly number: number;
  readonly cap: number;
  /** From now on it uses no more than this, until it hears of more. */
  readonly held: number;
  readonly takesPart: boolean;
  /** Its note must be there. */
  readonly isNoted: boolean;
}

export interface Allotment {
  /** What it may use now. */
  readonly limit: number;
  /** What it may use once the others have given up theirs. */
  readonly share: number;
  /** Workers that take part. */
  readonly members: number;
}

/** Who is settled looks as often as it renews its lease. */
const SETTLED_EVERY_MS = 4_000;
/** Who waits for others, or gives up, looks this often; with many, all together no more than a hundred times a second. */
const UNSETTLED_EVERY_MS = 100;
const UNSETTLED_EVERY_MS_EACH = 10;

export class FleetSeat implements FleetShare {
  readonly #cap: number;
  #consumers = 1;
  #allotment: Allotment | undefined;
  /** What the note in Redis says at least. */
  #noted = 0;
  #using = 0;
  /** What is left to it of what it was once allotted, while what was begun with that goes on. */
  #left = 0;
  #isLeaving = false;
  #reports = 0;
  #pending: ShareReport | undefined;
  #reported: ShareReport | undefined;
  #reportedAt = -Infinity;
  #onRoom: () => void = () => undefined;

  /** `cap`: of the whole fleet; 0 = none. */
  constructor(cap = 0) {
    this.#cap = cap;
  }

  get consumers(): number {
    return this.#consumers;
  }

  get inFlightCap(): number | undefined {
    return this.#cap === 0 ? undefined : this.#limit;
  }

  /** What this worker may have in flight until all that it has begun has ended, with the status PUTs that follow. */
  get kept(): number | undefined {
    return this.#cap === 0 ? undefined : this.#kept;
  }

  /** Undefined while nothing is known of it, and where there is no cap. */
  get allotment(): Allotment | undefined {
    return this.#allotment;
  }

  /** With each renewal of the lease. */
  noteConsumers(living: number): void {
    this.#consumers = living;
  }

  /**
   * Slots that are used, or may be before this is called again, and places that status PUTs have or want: what a PUT wants
   * it gets of what was noted before, also when this worker begins nothing more. Slots may be more than were allotted, since
   * messages that only wait count, too: what is kept grows by an allotment alone.
   */
  using(slots: number, statuses = 0): void {
    this.#left = Math.min(this.#kept, slots + statuses);
    this.#using = Math.max(slots, Math.min(slots + statuses, this.#held));
  }

  /** `onRoom` is called when there is more room. */
  watch(onRoom: () => void): void {
    this.#onRoom = onRoom;
  }

  /** It claims nothing more: the others take its share as its slots become free. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** The lease was lost: what was noted under the former name counts no more. */
  moved(): void {
    this.#allotment = undefined;
    this.#noted = 0;
    this.#pending = this.#reported = undefined;
    this.#reportedAt = -Infinity;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** After its end: it uses nothing more. Undefined = nothing was ever noted of it. */
  lastReport(): ShareReport | undefined {
    if (!this.#allotment) return undefined;
    this.#isLeaving = true;
    this.#using = 0;
    return this.#nextReport();
  }

  /** What is to be reported now; undefined = nothing. */
  report(now: number): ShareReport | undefined {
    if (this.#cap === 0 || !this.#isDue(now)) return undefined;
    this.#reportedAt = now;
    return (this.#pending = this.#nextReport());
  }

  /** What Redis answered to `report`; undefined = it knows no lease of this worker. */
  allotted(report: ShareReport, allotment: Allotment | undefined): void {
    if (report !== this.#pending || !allotment) return;
    const before = this.#limit;
    this.#pending = undefined;
    this.#reported = report;
    this.#allotment = allotment;
    this.#noted = Math.max(report.held, allotment.limit);
    if (this.#limit > before) this.#onRoom();
  }

  #nextReport(): ShareReport {
    this.#reports += 1;
    const [cap, held, takesPart] = [this.#cap, this.#held, !this.#isLeaving];
    return { number: this.#reports, cap, held, takesPart, isNoted: this.#allotment !== undefined };
  }

  get #limit(): number {
    return this.#isLeaving ? 0 : (this.#allotment?.limit ?? 0);
  }

  get #kept(): number {
    return Math.max(this.#limit, this.#left);
  }

  get #held(): number {
    return Math.max(this.#limit, this.#using);
  }

  #isDue(now: number): boolean {
    const { share = 0, members = 1 } = this.#allotment ?? {};
    const waited = now - this.#reportedAt;
    if (waited < Math.max(UNSETTLED_EVERY_MS, UNSETTLED_EVERY_MS_EACH * members)) return false;
    if (!this.#reported || this.#reported.takesPart === this.#isLeaving) return true;
    const isUnsettled = this.#held < this.#noted || (!this.#isLeaving && this.#limit < share);
    return isUnsettled || waited >= SETTLED_EVERY_MS;
  }
}
