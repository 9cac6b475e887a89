/**
 * An attempt at one claimed message, from its claim to how it is to be settled:
 *
 *   parse ──malformed──────────────────────▶ bury                          | what an operator left in place of a message: ack
 *     │      another copy of it in hand ─────▶ waits for its turn (copies.ts)
 *   judge ──no attempt left──▶ give up ────▶ bury (told, or still to be)   | hand back
 *     │      hardly registered yet ──────────▶ held until it is (held.ts)     | hand back
 *   post, until it is registered ──────────▶ ack | retry, told as queued   | hand back
 *
 * A kill hands the message back untouched, whatever the attempt was at.
 */
import type { MainServer, StatusUpdate } from '../../delivery/main-server.js';
import { isCancelMarker } from '../../domain/cancelled.js';
import type { DeliveryOutcome } from '../../domain/delivery-outcome.js';
import { failureLine } from '../../domain/failures/failed-attempt.js';
import { domainOf } from '../../domain/failures/failure-group.js';
import { parseMessage, withAttemptCount, type Message } from '../../domain/message.js';
import type { RegistrationLag, YoungMessage } from '../../domain/registration/registration-lag.js';
import { afterFailure, nextStep } from '../../domain/retry-policy.js';
import type { FailureCounts } from '../../duties/failure-counts.js';
import type { Claim, Settlement } from '../../queue/message-queue.js';
import type { Config } from '../../shared/config/config.js';
import type { Log } from '../../shared/logger/log.js';
import type { WorkerMetrics } from '../../shared/metrics/worker-metrics.js';
import type { Clock } from '../../shared/time/clock.js';
import { printable } from '../../shared/words/escape.js';
import type { Burial } from './burial.js';
import type { Copies } from './copies.js';
import type { GivingUp } from './giving-up.js';
import type { Held } from './held.js';
import type { NotBegun } from './not-begun.js';
import { isUnregistered, UntilRegistered, type Posted } from './until-registered.js';

/** How one attempt ended: how to settle the claim, and what to tell the main server once that is done. */
export interface AttemptResult {
  readonly settlement: Settlement;
  /** It is in hand (copies.ts) until the settlement is over, and what is told with it. Undefined = nothing is. */
  readonly messageId?: string;
  /** An attempt was made, and failed. */
  readonly failed?: true;
  /** Sent only after the settlement acted: before it, another process might be delivering the message. */
  readonly statusUpdate?: StatusUpdate;
}

interface AttemptsOptions {
  readonly config: Pick<Config, 'worker' | 'mainServer' | 'logging' | 'queue'>;
  readonly server: Pick<MainServer, 'deliver'>;
  readonly burial: Pick<Burial, 'bury'>;
  readonly givingUp: Pick<GivingUp, 'giveUp'>;
  readonly copies: Pick<Copies, 'take' | 'wait'>;
  /** Whether what was held may be begun now. */
  readonly pause: { mayBegin(): Promise<boolean> };
  readonly lag: RegistrationLag;
  readonly held: Pick<Held, 'wait'>;
  readonly notBegun: Pick<NotBegun, 'while'>;
  readonly metrics: WorkerMetrics;
  readonly failureCounts: Pick<FailureCounts, 'note' | 'delivered'>;
  readonly workerId: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** One that is judged, and may be made. */
interface Attempt {
  readonly claim: Claim;
  readonly message: Message;
  /** The kill. */
  readonly signal: AbortSignal;
  /** When it was claimed, by `queued_at`; of a first attempt. */
  readonly ageMs: number | undefined;
  /** It may not be registered yet. */
  readonly young: YoungMessage | undefined;
}

type Failed = Extract<DeliveryOutcome, { kind: 'failed' }>;

const ID_LENGTH = 255;
const DETAIL_LENGTH = 200;

export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #maxAttempts: number;
  readonly #untilRegistered: UntilRegistered;

  constructor(options: AttemptsOptions) {
    this.#options = options;
    this.#maxAttempts = options.config.worker.maxAttempts;
    this.#untilRegistered = new UntilRegistered(options);
  }

  /**
   * Never rejects. `signal` is the kill. `wasAwaited`: it came while an empty queue was waited on.
   *
   * Not async: each layer around the promise of an attempt costs three turns of the microtask queue.
   */
  run(claim: Claim, signal: AbortSignal, wasAwaited = false): Promise<AttemptResult> {
    const parsed = parseMessage(claim.raw, this.#options.config.queue.messageMaxBytes);
    if (!parsed.ok) return Promise.resolve(this.#malformed(claim, parsed.problem));
    const { message } = parsed;
    if (!this.#options.copies.take(message.id)) return this.#afterOthers(claim, message, signal);
    return this.#inHand(claim, message, signal, wasAwaited);
  }

  async #afterOthers(claim: Claim, message: Message, signal: AbortSignal): Promise<AttemptResult> {
    const { copies, pause, notBegun, log } = this.#options;
    log.debug(`Holding message ${printable(message.id, ID_LENGTH)}: another copy of it is in hand`);
    const isNext = await notBegun.while(claim, copies.wait(message.id, signal));
    if (!isNext) return { settlement: { kind: 'hand-back', claim } };
    if (await notBegun.while(claim, pause.mayBegin())) return this.#inHand(claim, message, signal);
    return { settlement: { kind: 'hand-back', claim }, messageId: message.id };
  }

  #inHand(claim: Claim, message: Message, signal: AbortSignal, wasAwaited = false): Promise<AttemptResult> {
    return nextStep(message.attemptCount, this.#maxAttempts) === 'attempt'
      ? this.#attempt(claim, message, signal, wasAwaited)
      : this.#giveUp(claim, message, signal);
  }

  #malformed(claim: Claim, problem: string): AttemptResult {
    if (isCancelMarker(claim.raw)) return { settlement: { kind: 'ack', claim } };
    this.#options.log.error(`Moved a malformed message of ${claim.raw.length} bytes to the dead list: ${problem}`);
    return { settlement: this.#options.burial.bury(claim, 'malformed', problem) };
  }

  async #giveUp(claim: Claim, message: Message, signal: AbortSignal): Promise<AttemptResult> {
    return { settlement: await this.#options.givingUp.giveUp(claim, message, signal), messageId: message.id };
  }

  /** Holds it if it is hardly registered yet. */
  #attempt(claim: Claim, message: Message, signal: AbortSignal, wasAwaited: boolean): Promise<AttemptResult> {
    const { clock, lag } = this.#options;
    if (message.attemptCount > 0 || message.queuedAtMs === undefined) {
      return this.#post({ claim, message, signal, ageMs: undefined, young: undefined });
    }
    const ageMs = clock.wallNow() - message.queuedAtMs;
    if (!wasAwaited && ageMs >= lag.oldFromMs) return this.#post({ claim, message, signal, ageMs, young: undefined });
    const now = clock.now();
    const young = lag.look({ clientId: message.clientId, ageMs, wasAwaited, now });
    const holdMs = lag.holdMs(young, now);
    const attempt = { claim, message, signal, ageMs, young };
    return holdMs > 0 ? this.#hold(attempt, holdMs) : this.#post(attempt);
  }

  async #hold(attempt: Attempt, ms: number): Promise<AttemptResult> {
    const { claim, message, signal } = attempt;
    const { held, pause, notBegun } = this.#options;
    const hasSlot = await notBegun.while(claim, held.wait(ms, { isBegun: false, signal }));
    if (hasSlot && (await notBegun.while(claim, pause.mayBegin()))) return this.#post(attempt);
    return { settlement: { kind: 'hand-back', claim }, messageId: message.id };
  }

  async #post(attempt: Attempt): Promise<AttemptResult> {
    const { server, metrics, clock, lag } = this.#options;
    const { claim, message, signal, ageMs, young } = attempt;
    const id = printable(message.id, ID_LENGTH);
    this.#tell(`Processing message ${id} (attempt ${message.attemptCount + 1}/${this.#maxAttempts})`);
    if (ageMs !== undefined) metrics.observeWait(Math.max(0, ageMs) / 1000);
    const sentAt = clock.now();
    let outcome = await server.deliver(message.id, signal);
    let tookMs = clock.now() - sentAt;
    if (isUnregistered(outcome)) ({ outcome, tookMs } = await this.#repeat(attempt, { outcome, sentAt, tookMs }));
    else if (young && outcome.kind === 'delivered') lag.registered(young, undefined, sentAt);
    if (outcome.kind === 'aborted') return { settlement: { kind: 'hand-back', claim }, messageId: message.id };
    metrics.observeDelivery(tookMs / 1000);
    return outcome.kind === 'failed' ? this.#failed(claim, message, outcome) : this.#delivered(claim, message, id);
  }

  async #repeat({ message, signal, ageMs, young }: Attempt, first: Posted): Promise<Posted> {
    if (ageMs === undefined) return first;
    const { id, clientId } = message;
    const now = first.sentAt;
    const known = young ?? this.#options.lag.look({ clientId, ageMs, wasAwaited: false, now });
    return this.#untilRegistered.repeat(id, known, first, signal);
  }

  #delivered(claim: Claim, message: Message, id: string): AttemptResult {
    const { metrics, failureCounts } = this.#options;
    metrics.processed('delivered');
    metrics.delivered();
    failureCounts.delivered(message.clientId);
    this.#tell(`Message ${id} delivered successfully`);
    const { id: messageId } = message;
    if (message.attemptCount > 0) return { settlement: { kind: 'ack-retried', claim, messageId }, messageId };
    return { settlement: { kind: 'ack', claim }, messageId };
  }

  /** What is said of each message, whether it fails or not. */
  #tell(text: string): void {
    const { config, log } = this.#options;
    if (config.logging.messages === 'all') log.info(text);
    else log.debug(text);
  }

  #failed(claim: Claim, message: Message, outcome: Failed): AttemptResult {
    const { config, metrics, clock } = this.#options;
    const { id: messageId } = message;
    const { errorMessage, fateUnknown, reason } = outcome;
    const at = clock.wallNow();
    metrics.failed(reason, { at, error: errorMessage, messageId });
    metrics.processed('failed');
    const { attemptCount, delayMs } = afterFailure({
      attemptCount: message.attemptCount,
      maxAttempts: this.#maxAttempts,
      fateUnknown,
      intervalMs: config.worker.retryIntervalMs,
      timeoutMs: config.mainServer.timeoutMs,
    });
    this.#logFailure(printable(messageId, ID_LENGTH), outcome, delayMs);
    const raw = attemptCount === message.attemptCount ? claim.raw : withAttemptCount(claim.raw, attemptCount);
    return {
      settlement: {
        kind: 'retry',
        claim,
        message: raw,
        messageId,
        delayMs,
        failure: this.#noted(claim, message, outcome, at),
      },
      messageId,
      failed: true,
      ...(fateUnknown ? {} : { statusUpdate: { status: 'queued', attemptCount, errorMessage } }),
    };
  }

  /** Counts it, and gives what is kept of it with the message. */
  #noted({ raw }: Claim, { id: messageId, clientId }: Message, outcome: Failed, at: number): string {
    const { config, workerId, failureCounts } = this.#options;
    const { reason, status, detail } = outcome;
    failureCounts.note({ at, messageId, reason, status, client: clientId, domain: domainOf(raw) });
    return failureLine({ at, reason, status, answer: config.queue.failureAnswers ? detail : undefined, workerId });
  }

  #logFailure(id: string, outcome: Failed, delayMs: number): void {
    const { log } = this.#options;
    const detail = printable(outcome.detail, DETAIL_LENGTH);
    if (outcome.status === undefined) {
      const more = detail === '' || detail === outcome.errorMessage ? '' : ` (${detail})`;
      log.error(`Failed to connect to main server for message ${id}: ${outcome.errorMessage}${more}`);
    } else {
      log.error(`Main server returned error ${outcome.status} for message ${id}: ${detail}`);
    }
    log.warn(`Message ${id} delivery failed, will retry`);
    log.info(`Waiting ${delayMs / 1000}s before retrying message ${id}`);
  }
}
