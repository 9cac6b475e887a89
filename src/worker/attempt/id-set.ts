/** A power of two, and several times as many as are usually in hand. */
const BUCKETS = 256;
/** Ids of one system differ at their ends, if anywhere. */
const HASHED_UNITS = 6;

/**
 * The message ids in hand: some dozens at a time, of which thousands a second come and go.
 *
 * Not a Set, for the reason in delivery/exchange/exchanges-in-flight.ts: here the same few arrays serve for ever.
 */
export class IdSet {
  readonly #buckets = Array.from({ length: BUCKETS }, (): string[] => []);

  /** False = it was there. */
  add(id: string): boolean {
    const bucket = this.#bucketOf(id);
    if (bucket.includes(id)) return false;
    bucket.push(id);
    return true;
  }

  delete(id: string): void {
    const bucket = this.#bucketOf(id);
    const at = bucket.indexOf(id);
    const last = bucket.at(-1);
    if (at < 0 || last === undefined) return;
    bucket[at] = last;
    bucket.pop();
  }

  #bucketOf(id: string): string[] {
    let hash = id.length;
    for (let at = Math.max(0, id.length - HASHED_UNITS); at < id.length; at += 1) {
      hash = Math.imul(hash, 31) + id.charCodeAt(at);
    }
    return this.#buckets[(hash ^ (hash >>> 8)) & (BUCKETS - 1)] ?? [];
  }
}
