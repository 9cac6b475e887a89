/**
 * Whose messages fail now, and whose do not: the book of failures tells nothing of what is delivered. In memory, and only of
 * clients that have failed lately: where nobody has, a delivery costs an addition. Pure.
 */

/** Of one client, while it has failed lately. */
export interface ClientAttempts {
  /** Undefined = its messages do not say. */
  readonly client: string | undefined;
  /** What its latest failure came to: `HTTP 422`. */
  readonly answer: string;
  readonly failed: number;
  readonly delivered: number;
  /** Since when at least half of its attempts fail; ms since the Unix epoch. */
  readonly since: number;
}

export interface FailingFacts {
  /** Of all. */
  readonly failed: number;
  readonly delivered: number;
  /** The most failures first. */
  readonly clients: readonly ClientAttempts[];
}

interface Failure {
  readonly client: string | undefined;
  readonly answer: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** Every client may fail at once; a name may have a hundred characters. */
const MOST_CLIENTS = 100;
const MOST_SAID = 10;
const NAME_LENGTH = 100;
const LEAST_MS = 30_000;

/** What happened in this half of the time that is looked at, and in the half before it. */
class Halves {
  #now = { failed: 0, delivered: 0 };
  #before = { failed: 0, delivered: 0 };

  add(kind: 'failed' | 'delivered'): void {
    this.#now[kind] += 1;
  }

  turn(): void {
    this.#before = this.#now;
    this.#now = { failed: 0, delivered: 0 };
  }

  get failed(): number {
    return this.#now.failed + this.#before.failed;
  }

  get delivered(): number {
    return this.#now.delivered + this.#before.delivered;
  }

  get isPoor(): boolean {
    return this.failed > 0 && this.failed >= this.delivered;
  }
}

interface Known {
  readonly counts: Halves;
  answer: string;
  since: number;
}

export class FailingClients {
  readonly #halfMs: number;
  #all = new Halves();
  readonly #clients = new Map<string | undefined, Known>();
  #turnedAt = -Infinity;

  /** @param retryIntervalMs what fails once comes again only then: one that is shorter would forget it between. */
  constructor(retryIntervalMs: number) {
    this.#halfMs = Math.max(LEAST_MS, retryIntervalMs);
  }

  /** @param now monotonic ms. */
  failed({ client, answer, at }: Failure, now: number): void {
    this.#turn(now);
    this.#all.add('failed');
    const name = shortened(client);
    const known = this.#clients.get(name);
    if (!known && this.#clients.size >= MOST_CLIENTS) return;
    const its = known ?? { counts: new Halves(), answer, since: at };
    if (!its.counts.isPoor) its.since = at;
    its.counts.add('failed');
    its.answer = answer;
    // a copy: a part of a text keeps the whole alive (V8), which may be as large as its message
    if (!known) this.#clients.set(name === undefined ? name : Buffer.from(name).toString(), its);
  }

  /** @param now monotonic ms. */
  delivered(client: string | undefined, now: number): void {
    this.#turn(now);
    this.#all.add('delivered');
    if (this.#clients.size > 0) this.#clients.get(shortened(client))?.counts.add('delivered');
  }

  /** Over one to two intervals. @param now monotonic ms. */
  facts(now: number): FailingFacts {
    this.#turn(now);
    const { failed, delivered } = this.#all;
    const clients = [...this.#clients].map(([client, { counts, answer, since }]) => {
      return { client, answer, failed: counts.failed, delivered: counts.delivered, since };
    });
    return { failed, delivered, clients: clients.sort((a, b) => b.failed - a.failed).slice(0, MOST_SAID) };
  }

  #turn(now: number): void {
    if (now - this.#turnedAt < this.#halfMs) return;
    // after a long silence nothing of before is lately
    const turns = Math.min(2, Math.floor((now - this.#turnedAt) / this.#halfMs));
    this.#turnedAt = now;
    for (let turned = 0; turned < turns; turned += 1) {
      this.#all.turn();
      for (const { counts } of this.#clients.values()) counts.turn();
    }
    for (const [client, { counts }] of this.#clients) if (counts.failed === 0) this.#clients.delete(client);
  }
}

function shortened(client: string | undefined): string | undefined {
  return client?.slice(0, NAME_LENGTH);
}
