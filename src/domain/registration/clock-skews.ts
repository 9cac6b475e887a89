/** Clients that share a class share a skew, the smaller one: then one of them looks older than it is, as without any. */
const CLASSES = 256;
/** The smallest age of the last 8 to 16 is the skew: messages in the queue for next to no time are among them. */
const GENERATION = 8;
/** A message that was waited for has lain in the queue for less. If its age says more, the clock was set. */
const STEP_MS = 250;
const HASHED_CHARACTERS = 64;

/**
 * How far the clocks of producers are behind this host's, in ms, as the ages of their messages tell: the smallest recent
 * one of each class of clients is the skew. Ahead is negative.
 *
 * Only a message that was waited for at an empty queue tells how far behind: others have waited in a backlog, which
 * nobody can tell from a skew. That a clock is ahead, any message tells.
 */
export class ClockSkews {
  /** NaN = nothing is known. */
  readonly #recent = new Float64Array(CLASSES).fill(NaN);
  readonly #before = new Float64Array(CLASSES).fill(NaN);
  readonly #counts = new Uint8Array(CLASSES);
  #largest = 0;

  /** 0 or more. No class has more; one may have had it lately. */
  get largestMs(): number {
    return this.#largest;
  }

  /** The true age of a message of that client, at least 0, of which `ageMs` is what its `queued_at` says. */
  trueAge(clientId: string, ageMs: number, wasAwaited: boolean): number {
    const at = classOf(clientId);
    const known = this.#skewOf(at);
    if (wasAwaited) this.#note(at, ageMs, known);
    else if (ageMs < (Number.isNaN(known) ? 0 : known)) this.#lower(at, ageMs);
    return Math.max(0, ageMs - orZero(this.#skewOf(at)));
  }

  #note(at: number, ageMs: number, known: number): void {
    const isStep = ageMs > known + STEP_MS;
    const isFull = this.#counts[at] === GENERATION;
    if (isStep || isFull) {
      this.#before[at] = isStep ? NaN : (this.#recent[at] ?? NaN);
      this.#recent[at] = NaN;
      this.#counts[at] = 0;
    }
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#lower(at, ageMs);
    this.#largest = Math.max(this.#largest, this.#skewOf(at));
    if (isStep || isFull) this.#largest = this.#findLargest();
  }

  #lower(at: number, ageMs: number): void {
    this.#recent[at] = smaller(this.#recent[at] ?? NaN, ageMs);
  }

  #skewOf(at: number): number {
    return smaller(this.#recent[at] ?? NaN, this.#before[at] ?? NaN);
  }

  #findLargest(): number {
    let largest = 0;
    for (let at = 0; at < CLASSES; at += 1) largest = Math.max(largest, orZero(this.#skewOf(at)));
    return largest;
  }
}

/** Of two of which either may be NaN. */
function smaller(one: number, other: number): number {
  if (Number.isNaN(one)) return other;
  return other < one ? other : one;
}

function orZero(value: number): number {
  return Number.isNaN(value) ? 0 : value;
}

/** FNV-1a. */
function classOf(clientId: string): number {
  let hash = 0x811c9dc5;
  const length = Math.min(clientId.length, HASHED_CHARACTERS);
  for (let at = 0; at < length; at += 1) hash = Math.imul(hash ^ clientId.charCodeAt(at), 0x01000193);
  return ((hash >>> 0) ^ (hash >>> 16)) & (CLASSES - 1);
}
