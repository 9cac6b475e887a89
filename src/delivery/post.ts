import type { Dispatcher } from 'undici';
import type { DeliveryOutcome } from '../domain/delivery-outcome.js';

/** Of an answer's body; what comes after is not read. */
export const MAX_BODY_BYTES = 65_536;

/** What one exchange brought: a status as soon as the headers were read, whatever became of the body. */
export type PostResult =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** `stale`: the socket had served before, and the server closed it without a byte of an answer. */
  | { readonly kind: 'error'; readonly error: Error; readonly stale: boolean }
  | { readonly kind: 'settled'; readonly outcome: DeliveryOutcome };

/** Codes of a connection that ended under a request. */
const CLOSED_CODES: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** Counts the requests that the open socket of one undici Client has served. */
export interface ServedCount {
  served: number;
}

/**
 * One POST on its way through undici, and its place among those in flight.
 *
 * It implements undici's callbacks of the raw kind (onConnect, onHeaders, ...): the newer kind builds a header object and
 * a controller for each answer, which costs 5 of 35 µs, and the headers are never looked at. A POST ends once: by its
 * last byte, an error, the 64 KiB, the deadline or the kill. What undici reports afterwards is ignored.
 */
export class DeliveryPost implements Dispatcher.DispatchHandler {
  readonly #end: (result: PostResult) => void;
  /** Set by the pool's client as it takes the request. */
  connection: ServedCount | undefined;
  #abort: ((error?: Error) => void) | undefined;
  #onReused = false;
  #status: number | undefined;
  #body: Buffer[] | undefined;
  #bodyBytes = 0;
  #ended = false;

  constructor(
    readonly startMs: number,
    readonly signal: AbortSignal,
    end: (result: PostResult) => void,
  ) {
    this.#end = end;
  }

  /** Ends it from outside. With a status in hand that status stands: 2xx means delivered, however the body goes on. */
  cut(outcome: DeliveryOutcome): void {
    this.#finish({ kind: 'settled', outcome });
    this.#abort?.();
  }

  onConnect(abort: (error?: Error) => void): void {
    if (this.#ended) return abort(); // cut while it waited for a connection: it must not be sent any more
    this.#abort = abort;
    this.#onReused = (this.connection?.served ?? 0) > 0;
  }

  onHeaders(status: number): boolean {
    if (status >= 200) this.#status = status;
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
    this.#finish({ kind: 'error', error, stale });
  }

  #finish(otherwise: PostResult | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#status !== undefined) this.#end({ kind: 'answer', status: this.#status, body: this.#bodyText() });
    else this.#end(otherwise ?? { kind: 'error', error: new Error('The answer had no status'), stale: false });
  }

  #isSuccess(): boolean {
    return this.#status !== undefined && this.#status >= 200 && this.#status < 300;
  }

  #bodyText(): string {
    return this.#body ? Buffer.concat(this.#body).toString('utf8', 0, MAX_BODY_BYTES) : '';
  }
}
