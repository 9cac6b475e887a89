/** Upper bounds in ms: 2.5 apart to 100, 10 apart to 250, then 15 % apart to a minute; the last bucket has none. */
const BOUNDS = boundsOfBuckets();
const SHARE_OF_THE_NEW = 1 / 32;
/** The share of some buckets from which one more there changes nothing: so it is for each message without a lag. */
const ALL = 0.999;
/** Of what is noted, the part that is spread evenly: what was never seen to happen stays possible. */
const EVEN = 0.05;

/**
 * How long after their enqueueing messages are registered: the share of them for each stretch of time.
 *
 * Nobody sees when a message is registered, only that it was not at one look and was at a later one. What is noted is
 * spread over the stretch between the two as the shares are so far (an EM step for each message), and what was noted
 * before loses weight, so that half of it is forgotten after 22 messages.
 */
export class LagSpread {
  /** At first all are registered before anybody looks. */
  readonly #shares = new Float64Array(BOUNDS.length + 1).fill(1, 0, 1);

  /**
   * It was not registered at `afterMs`, 0 = nobody looked, and was at `byMs`.
   *
   * @param weight how many messages it stands for.
   */
  note(afterMs: number, byMs: number, weight = 1): void {
    const shares = this.#shares;
    const from = bucketOf(afterMs, true);
    const to = Math.max(from, bucketOf(byMs, false));
    if (to === 0 && (shares[0] ?? 0) > ALL) return;
    const added = Math.min(0.5, SHARE_OF_THE_NEW * weight);
    let between = 0;
    for (let at = from; at <= to; at += 1) between += shares[at] ?? 0;
    const width = to - from + 1;
    for (let at = 0; at < shares.length; at += 1) {
      const share = shares[at] ?? 0;
      const isBetween = at >= from && at <= to;
      const likely = between > 1e-9 ? share / between : 1 / width;
      shares[at] = share * (1 - added) + (isBetween ? added * ((1 - EVEN) * likely + EVEN / width) : 0);
    }
  }

  /** Whether all are registered at that age, as far as is known. */
  isSure(ageMs: number): boolean {
    const to = bucketOf(ageMs, false);
    let left = 1 - ALL;
    for (let at = BOUNDS.length; at > to; at -= 1) {
      left -= this.#shares[at] ?? 0;
      if (left < 0) return false;
    }
    return true;
  }

  /**
   * When that share of the messages is registered that were not at `afterMs`, in ms; 0 = nothing is known of such.
   */
  registeredBy(share: number, afterMs = 0): number {
    const from = bucketOf(afterMs, true);
    let left = 0;
    for (let at = from; at <= BOUNDS.length; at += 1) left += this.#shares[at] ?? 0;
    if (left < 1e-3) return 0;
    let counted = 0;
    for (let at = from; at < BOUNDS.length; at += 1) {
      counted += this.#shares[at] ?? 0;
      if (counted >= share * left) return BOUNDS[at] ?? 0;
    }
    return BOUNDS.at(-1) ?? 0;
  }

  /**
   * A time before `lastMs` at which one more look is worth it, else `lastMs`: what it saves those that are registered by
   * then is more, for all of them together, than `lookMs` for each one that is not.
   */
  lookBefore(lastMs: number, lookMs: number): number {
    let best = lastMs;
    let leastMs = lastMs;
    let unregistered = 1;
    for (let at = 0; at < BOUNDS.length; at += 1) {
      const bound = BOUNDS[at] ?? lastMs;
      if (bound >= lastMs) break;
      unregistered -= this.#shares[at] ?? 0;
      const meanMs = bound + unregistered * (lastMs - bound + lookMs);
      if (meanMs >= leastMs) continue;
      leastMs = meanMs;
      best = bound;
    }
    return best;
  }
}

/** A bucket reaches up to and with its bound; `beyond` = the bucket of what comes after `ms`. */
function bucketOf(ms: number, beyond: boolean): number {
  let low = 0;
  let high = BOUNDS.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const bound = BOUNDS[middle] ?? Infinity;
    if (beyond ? bound <= ms : bound < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

function boundsOfBuckets(): readonly number[] {
  const bounds: number[] = [];
  for (let bound = 2.5; bound <= 100; bound += 2.5) bounds.push(bound);
  for (let bound = 110; bound <= 250; bound += 10) bounds.push(bound);
  for (let bound = 250 * 1.15; bound < 60_000; bound *= 1.15) bounds.push(Math.round(bound));
  return bounds;
}
