import type { Dispatcher } from 'undici';
import type { DeliveryOutcome } from '../../domain/delivery-outcome.js';
import type { Deadline } from '../../shared/time/deadline.js';

/** Of an answer's body; what comes after is not read. */
const MAX_BODY_BYTES = 65_536;

/**
 * What one exchange brought: a status as soon as the headers were read, whatever became of the body. `sent`: the request
 * had left, so it may have been read, and may be worked on still.
 */
export type ExchangeResult =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: string;
      readonly retryAfter: RetryAfter | undefined;
    }
  /** `stale`: the socket had served before, and the server closed it without a byte of an answer. */
  | { readonly kind: 'error'; readonly error: Error; readonly stale: boolean; readonly sent: boolean }
  | { readonly kind: 'settled'; readonly outcome: DeliveryOutcome };

/** Headers of a 429 or 503, as they came. */
export interface RetryAfter {
  readonly value: string;
  readonly date: string | undefined;
}

/** Codes of a connection that ended under a request. */
const CLOSED_CODES: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** The socket of one undici Client, as the exchange on it needs it. */
export interface Connection {
  /** Requests that the open socket has served. */
  served: number;
  /** The exchange whose request is written next, or was last. */
  current: HttpExchange | undefined;
  /** Makes the end of the socket a reset: what the kernel has not sent yet never leaves. */
  endByReset(): void;
}

interface HttpExchangeOptions {
  /** Monotonic ms. */
  readonly startMs: number;
  /** The total deadline of the exchange, monotonic ms. */
  readonly untilMs: number;
  /** The kill. */
  readonly signal: AbortSignal;
  /** Later than this the request must not leave; looked at right before its one write. Undefined = it may at any time. */
  readonly mustLeaveBy?: Deadline | undefined;
  readonly end: (result: ExchangeResult) => void;
}

/**
 * One request on its way through undici, and its place among those in flight.
 *
 * It implements undici's callbacks of the raw kind (onConnect, onHeaders, ...): the newer kind builds a header object and
 * a controller for each answer, which costs 5 of 35 µs, and the headers are looked at only where a 429 or 503 may ask for patience. An exchange ends once: by its
 * last byte, an error, the 64 KiB, the deadline or the kill. What undici reports afterwards is ignored.
 */
export class HttpExchange implements Dispatcher.DispatchHandler {
  readonly startMs: number;
  readonly untilMs: number;
  readonly signal: AbortSignal;
  readonly #mustLeaveBy: Deadline | undefined;
  readonly #end: (result: ExchangeResult) => void;
  /** Among those in flight; theirs to set. */
  place = -1;
  /** Set by the pool's client as it takes the request. */
  connection: Connection | undefined;
  #abort: ((error?: Error) => void) | undefined;
  #sent = false;
  #onReused = false;
  #status: number | undefined;
  #retryAfter: RetryAfter | undefined;
  #body: Buffer[] | undefined;
  #bodyBytes = 0;
  #ended = false;

  constructor({ startMs, untilMs, signal, mustLeaveBy, end }: HttpExchangeOptions) {
    this.startMs = startMs;
    this.untilMs = untilMs;
    this.signal = signal;
    this.#mustLeaveBy = mustLeaveBy;
    this.#end = end;
  }

  get sent(): boolean {
    return this.#sent;
  }

  /** Ends it from outside. With a status in hand that status stands: 2xx means delivered, however the body goes on. */
  cut(outcome: DeliveryOutcome): void {
    if (this.#ended) return;
    this.#finish({ kind: 'settled', outcome });
    if (this.#abort) this.connection?.endByReset();
    this.#abort?.();
  }

  /** Asked right before the bytes of the request go to the kernel. */
  mayLeave(): boolean {
    if (this.#ended || this.#mustLeaveBy?.isOver) return false;
    this.#sent = true;
    return true;
  }

  onConnect(abort: (error?: Error) => void): void {
    if (this.#ended) return abort(); // cut while it waited for a connection: it must not be sent any more
    this.#abort = abort;
    const { connection } = this;
    if (!connection) return;
    connection.current = this;
    this.#onReused = connection.served > 0;
  }

  onHeaders(status: number, headers: readonly Buffer[]): boolean {
    if (status >= 200) this.#status = status;
    if (status === 429 || status === 503) this.#retryAfter = retryAfterIn(headers);
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#bodyBytes += chunk.length;
    // A body that is not quoted is not kept, but read, so that the socket can serve the next request.
    if (!this.#isSuccess()) (this.#body ??= []).push(chunk);
    if (this.#bodyBytes <= MAX_BODY_BYTES) return true;
    this.#finish(undefined);
    this.#abort?.();
    return false;
  }

  onComplete(): void {
    if (this.connection) this.connection.served++;
    this.#finish(undefined);
  }

  onError(error: Error): void {
    const nothingRead = this.#status === undefined;
    const stale = this.#onReused && nothingRead && 'code' in error && CLOSED_CODES.has(error.code);
    this.#finish({ kind: 'error', error, stale, sent: this.#sent });
  }

  #finish(otherwise: ExchangeResult | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#status !== undefined) {
      this.#end({ kind: 'answer', status: this.#status, body: this.#bodyText(), retryAfter: this.#retryAfter });
    } else
      this.#end(otherwise ?? { kind: 'error', error: new Error('The answer had no status'), stale: false, sent: true });
  }

  #isSuccess(): boolean {
    return this.#status !== undefined && this.#status >= 200 && this.#status < 300;
  }

  #bodyText(): string {
    return this.#body ? Buffer.concat(this.#body).toString('utf8', 0, MAX_BODY_BYTES) : '';
  }
}

/** undici's raw headers: names and values by turns. */
function retryAfterIn(headers: readonly Buffer[]): RetryAfter | undefined {
  const value = headerIn(headers, 'retry-after');
  return value === undefined ? undefined : { value, date: headerIn(headers, 'date') };
}

function headerIn(headers: readonly Buffer[], name: string): string | undefined {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each.toString('latin1').toLowerCase() === name);
  return at < 0 ? undefined : headers[at + 1]?.toString('latin1');
}
