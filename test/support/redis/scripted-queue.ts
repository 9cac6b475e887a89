import { RedisUnavailableError } from '../../../src/shared/errors.js';
import type { Clock } from '../../../src/shared/time/clock.js';
import type {
  Claim,
  Exchange,
  ExchangeRequest,
  MessageQueue,
  Reconciliation,
  Settlement,
} from '../../../src/queue/message-queue.js';

/** What becomes of an exchange that the test has words for; one that it has none for goes well. */
type Answer =
  /** Done, except for its settlements: their claims stand. */
  | { readonly kind: 'refuses-settlements'; readonly reason: string }
  /** Done, except that each claim it settles was recovered by others before. */
  | { readonly kind: 'loses-settlements' }
  /** Nothing is done, and Redis says why. */
  | { readonly kind: 'refuses'; readonly reason: string }
  /** The connection breaks before Redis reads it, or before its reply comes: nobody knows which. */
  | { readonly kind: 'no-reply'; readonly done: boolean }
  /**
   * Done; the reply says that crashed messages may wait, or that it claimed one, and nothing beside it, or why it claimed
   * nothing.
   */
  | {
      readonly kind: 'done';
      readonly suspects?: boolean;
      readonly solo?: boolean;
      readonly claimRefusal?: string;
      /** Nothing is claimed, for the sake of the rate. */
      readonly tokenInMs?: number;
    };

const BLOCK_MS = 2_000;

interface Blocked {
  readonly resolve: (claim: Claim | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** The queue in memory: behaves as Redis does, records what it is asked, and fails as a test tells it to. */
export class ScriptedQueue implements MessageQueue {
  readonly consumer = 'scripted';
  readonly reliable = true;
  /** As the lists of Redis: the oldest last. */
  readonly waiting: Buffer[] = [];
  readonly processing: Claim[] = [];
  readonly retrying: { readonly message: string; readonly delayMs: number }[] = [];
  readonly dead: string[] = [];
  /** In order: `exchange [ack a, retry b] want 2`, `claimBlocking`, `unblock`, `reconcile [a]`. */
  readonly asked: string[] = [];
  readonly requests: ExchangeRequest[] = [];
  readonly #clock: Clock;
  readonly #answers: Answer[] = [];
  readonly #recovered = new Set<Claim>();
  #always: Answer = { kind: 'done' };
  #blockingRefusal: string | undefined;
  #ready = true;
  #arrived = new AbortController();
  #blocked: Blocked | undefined;
  #gate: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The next exchanges, one after the other. */
  next(...answers: Answer[]): void {
    this.#answers.push(...answers);
  }

  /** Each exchange from now on that `next` does not speak of. */
  always(answer: Answer): void {
    this.#always = answer;
  }

  /** Blocking claims are refused from now on, as by a full Redis; undefined = not any more. */
  refuseBlocking(reason: string | undefined): void {
    this.#blockingRefusal = reason;
  }

  /** Replies to exchanges are held until what this returns is called. */
  hold(): () => void {
    let open = (): void => undefined;
    this.#gate = new Promise((resolve) => {
      open = () => {
        this.#gate = undefined;
        resolve();
      };
    });
    return open;
  }

  /** As LPUSH. */
  push(...messages: readonly (string | Buffer)[]): void {
    for (const message of messages) this.waiting.unshift(Buffer.from(message));
    if (!this.#blocked || this.waiting.length === 0) return;
    const { resolve } = this.#blocked;
    this.#blocked = undefined;
    resolve(this.#claimOldest());
  }

  /** Another process puts what we hold back. */
  recoverAll(): void {
    for (const claim of this.processing.splice(0)) {
      this.#recovered.add(claim);
      this.waiting.push(claim.raw);
    }
  }

  /** The connections are lost. */
  goAway(): void {
    this.#ready = false;
    this.#arrived = new AbortController();
    this.#blocked?.reject(unavailable('the connection was lost', true));
    this.#blocked = undefined;
  }

  comeBack(): void {
    this.#ready = true;
    this.#arrived.abort();
  }

  /** Redis took one for us, and the reply that said so was lost. */
  claimUnnoticed(): void {
    this.#claimOldest();
  }

  isReady(): boolean {
    return this.#ready;
  }

  async whenReady(timeoutMs: number): Promise<void> {
    if (!this.#ready) await this.#clock.sleep(timeoutMs, this.#arrived.signal);
  }

  async exchange(request: ExchangeRequest): Promise<Exchange> {
    const { settlements, want } = request;
    this.requests.push(request);
    this.asked.push(`exchange [${settlements.map(described).join(', ')}] want ${want}`);
    const answer = this.#answers.shift() ?? this.#always;
    const exchange = this.#carriedOut(request, answer);
    await this.#gate;
    if (answer.kind === 'refuses') throw unavailable(answer.reason, false);
    if (answer.kind === 'no-reply' || !this.#ready) throw unavailable('the reply was lost', true);
    return exchange;
  }

  claimBlocking(): Promise<Claim | undefined> {
    this.asked.push('claimBlocking');
    if (this.#blockingRefusal !== undefined) return Promise.reject(unavailable(this.#blockingRefusal, false));
    if (this.waiting.length > 0) return Promise.resolve(this.#claimOldest());
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(BLOCK_MS, () => this.#unblock());
      this.#blocked = {
        resolve: (claim) => {
          timer.cancel();
          resolve(claim);
        },
        reject: (error) => {
          timer.cancel();
          reject(error);
        },
      };
    });
  }

  async unblock(): Promise<void> {
    this.asked.push('unblock');
    this.#unblock();
  }

  async reconcile(held: readonly Claim[]): Promise<Reconciliation> {
    this.asked.push(`reconcile [${held.map(nameOf).join(', ')}]`);
    if (!this.#ready) throw unavailable('not connected', false);
    const unknown = this.processing.filter((claim) => !held.includes(claim));
    for (const claim of unknown) this.#handBack(claim);
    const gone = held.filter((claim) => !this.processing.includes(claim));
    return {
      handedBack: unknown.length,
      missing: gone.filter((claim) => !this.#recovered.has(claim)),
      lost: gone.filter((claim) => this.#recovered.has(claim)),
    };
  }

  async renewLease(): Promise<'kept'> {
    return 'kept';
  }

  async close(): Promise<void> {
    this.goAway();
  }

  #carriedOut({ settlements, want }: ExchangeRequest, answer: Answer): Exchange {
    const nothing: Exchange = {
      claims: [],
      claimRefusal: undefined,
      lost: [],
      refused: [],
      solo: false,
      suspects: false,
      tokenInMs: 0,
    };
    switch (answer.kind) {
      case 'refuses':
        return nothing;
      case 'no-reply':
        if (answer.done) {
          this.#settle(settlements);
          this.#claim(want);
        }
        return nothing;
      case 'refuses-settlements': {
        const refused = settlements.map((settlement) => ({ settlement, reason: answer.reason }));
        return { ...nothing, refused, claims: this.#claim(want) };
      }
      case 'loses-settlements':
        for (const { claim } of settlements) this.#recovered.add(claim);
        this.#remove(settlements.map(({ claim }) => claim));
        return { ...nothing, lost: settlements, claims: this.#claim(want) };
      case 'done': {
        const lost = this.#settle(settlements);
        const { suspects = false, solo = false, claimRefusal, tokenInMs = 0 } = answer;
        const most = claimRefusal === undefined && tokenInMs === 0 ? want : 0;
        const claims = this.#claim(solo ? Math.min(most, 1) : most);
        return { ...nothing, lost, claims, suspects, solo, claimRefusal, tokenInMs };
      }
    }
  }

  /** The ones that acted on nothing. */
  #settle(settlements: readonly Settlement[]): Settlement[] {
    return settlements.filter((settlement) => {
      if (!this.processing.includes(settlement.claim)) return true;
      this.#act(settlement);
      return false;
    });
  }

  #act(settlement: Settlement): void {
    const { claim } = settlement;
    switch (settlement.kind) {
      case 'hand-back':
        return this.#handBack(claim);
      case 'retry':
        this.retrying.push({ message: settlement.message.toString(), delayMs: settlement.delayMs });
        break;
      case 'bury':
        this.dead.push(String(settlement.envelope));
        break;
      case 'ack':
      case 'ack-retried':
    }
    this.#remove([claim]);
  }

  #handBack(claim: Claim): void {
    this.#remove([claim]);
    this.waiting.push(claim.raw);
  }

  #remove(claims: readonly Claim[]): void {
    for (const claim of claims) this.processing.splice(this.processing.indexOf(claim), 1);
  }

  #claim(want: number): Claim[] {
    return Array.from({ length: Math.min(want, this.waiting.length) }, () => this.#claimOldest());
  }

  #claimOldest(): Claim {
    const raw = this.waiting.pop();
    if (!raw) throw new Error('ScriptedQueue: nothing waits');
    const claim = { raw, consumer: this.consumer };
    this.processing.unshift(claim);
    return claim;
  }

  #unblock(): void {
    this.#blocked?.resolve(undefined);
    this.#blocked = undefined;
  }
}

function unavailable(reason: string, outcomeUnknown: boolean): RedisUnavailableError {
  return new RedisUnavailableError(reason, outcomeUnknown);
}

function described(settlement: Settlement): string {
  return `${settlement.kind} ${nameOf(settlement.claim)}`;
}

/** The id, or the text of what is no message. */
function nameOf({ raw }: Claim): string {
  try {
    return String((JSON.parse(raw.toString()) as { message_id: unknown }).message_id);
  } catch {
    return raw.toString();
  }
}
