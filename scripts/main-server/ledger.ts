/** What the development main server was asked and what it answered, by message. */
export interface Exchange {
  readonly method: 'POST' | 'PUT';
  readonly id: string;
  /** The request's JSON. */
  readonly body: unknown;
  /** Monotonic milliseconds (performance.now()): the request was complete. */
  readonly startMs: number;
  /** The answer was handed to the socket; undefined while it is not, or when there never was one. */
  endMs: number | undefined;
  /** The client was gone before there was an answer. */
  goneMs: number | undefined;
  status: number | undefined;
}

export interface Ledger {
  /** Empty when records are off. */
  readonly exchanges: ReadonlyMap<string, readonly Exchange[]>;
  readonly posts: number;
  readonly puts: number;
  /** Ids whose POST was answered with 2xx. */
  readonly delivered: ReadonlySet<string>;
  /** POSTs for ids that were answered with 2xx before. */
  readonly duplicates: number;
  /** When GET /health was asked, monotonic ms. */
  readonly probedAt: readonly number[];
  /** Requests for what no worker should ask for: another path or method. */
  readonly strays: number;
  of(id: string, method?: 'POST' | 'PUT'): readonly Exchange[];
  clear(): void;
}

/** With records off only the counts of requests are kept: a benchmark must not pay for memory of the past. */
export class RecordingLedger implements Ledger {
  readonly #records: boolean;
  readonly #exchanges = new Map<string, Exchange[]>();
  readonly #delivered = new Set<string>();
  readonly #probedAt: number[] = [];
  #posts = 0;
  #puts = 0;
  #duplicates = 0;
  #strays = 0;

  constructor(records: boolean) {
    this.#records = records;
  }

  get exchanges(): ReadonlyMap<string, readonly Exchange[]> {
    return this.#exchanges;
  }

  get posts(): number {
    return this.#posts;
  }

  get puts(): number {
    return this.#puts;
  }

  get delivered(): ReadonlySet<string> {
    return this.#delivered;
  }

  get duplicates(): number {
    return this.#duplicates;
  }

  get probedAt(): readonly number[] {
    return this.#probedAt;
  }

  get strays(): number {
    return this.#strays;
  }

  of(id: string, method?: 'POST' | 'PUT'): readonly Exchange[] {
    const all = this.#exchanges.get(id) ?? [];
    return method ? all.filter((exchange) => exchange.method === method) : all;
  }

  probed(): void {
    if (this.#records) this.#probedAt.push(performance.now());
  }

  strayed(): void {
    this.#strays++;
  }

  begin(method: 'POST' | 'PUT', id: string, body: unknown): Exchange {
    if (method === 'POST') this.#posts++;
    else this.#puts++;
    const times = { startMs: performance.now(), endMs: undefined, goneMs: undefined };
    const exchange: Exchange = { method, id, body, ...times, status: undefined };
    if (!this.#records) return exchange;
    if (method === 'POST' && this.#delivered.has(id)) this.#duplicates++;
    const known = this.#exchanges.get(id);
    if (known) known.push(exchange);
    else this.#exchanges.set(id, [exchange]);
    return exchange;
  }

  gone(exchange: Exchange): void {
    if (exchange.endMs === undefined) exchange.goneMs = performance.now();
  }

  end(exchange: Exchange, status: number): void {
    exchange.endMs = performance.now();
    exchange.status = status;
    if (this.#records && exchange.method === 'POST' && status >= 200 && status < 300) this.#delivered.add(exchange.id);
  }

  clear(): void {
    this.#exchanges.clear();
    this.#delivered.clear();
    this.#probedAt.length = 0;
    this.#posts = 0;
    this.#puts = 0;
    this.#duplicates = 0;
    this.#strays = 0;
  }
}
