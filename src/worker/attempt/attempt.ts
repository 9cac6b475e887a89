/**
 * An attempt at one claimed message, from its claim to how it is to be settled:
 *
 *   parse ──malformed──────────────────────▶ bury
 *     │      another copy of it in hand ─────▶ waits for its turn (copies.ts)
 *   judge ──no attempt left──▶ give up ────▶ bury (told, or still to be)   | hand back
 *   post, until it is registered ──────────▶ ack | retry, told as queued   | hand back
 *
 * A kill hands the message back untouched, whatever the attempt was at.
 */
import type { MainServer, StatusUpdate } from '../../delivery/main-server.js';
import type { DeliveryOutcome } from '../../domain/delivery-outcome.js';
import { parseMessage, withAttemptCount, type Message } from '../../domain/message.js';
import { afterFailure, nextStep, young404DelayMs } from '../../domain/retry-policy.js';
import type { Claim, Settlement } from '../../queue/message-queue.js';
import type { Config } from '../../shared/config/config.js';
import type { Log } from '../../shared/logger/log.js';
import type { WorkerMetrics } from '../../shared/metrics/worker-metrics.js';
import type { Clock } from '../../shared/time/clock.js';
import { printable } from '../../shared/words/escape.js';
import type { Burial } from './burial.js';
import type { Copies } from './copies.js';
import type { GivingUp } from './giving-up.js';

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
  readonly metrics: WorkerMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

type Failed = Extract<DeliveryOutcome, { kind: 'failed' }>;

const ID_LENGTH = 255;
const DETAIL_LENGTH = 200;

export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #maxAttempts: number;

  constructor(options: AttemptsOptions) {
    this.#options = options;
    this.#maxAttempts = options.config.worker.maxAttempts;
  }

  /**
   * Never rejects. `signal` is the kill.
   *
   * Not async: each layer around the promise of an attempt costs three turns of the microtask queue.
   */
  run(claim: Claim, signal: AbortSignal): Promise<AttemptResult> {
    const parsed = parseMessage(claim.raw, this.#options.config.queue.messageMaxBytes);
    if (!parsed.ok) return Promise.resolve(this.#malformed(claim, parsed.problem));
    const { message } = parsed;
    if (!this.#options.copies.take(message.id)) return this.#afterOthers(claim, message, signal);
    return this.#inHand(claim, message, signal);
  }

  async #afterOthers(claim: Claim, message: Message, signal: AbortSignal): Promise<AttemptResult> {
    const { copies, pause, log } = this.#options;
    log.debug(`Holding message ${printable(message.id, ID_LENGTH)}: another copy of it is in hand`);
    if (!(await copies.wait(message.id, signal))) return { settlement: { kind: 'hand-back', claim } };
    if (await pause.mayBegin()) return this.#inHand(claim, message, signal);
    return { settlement: { kind: 'hand-back', claim }, messageId: message.id };
  }

  #inHand(claim: Claim, message: Message, signal: AbortSignal): Promise<AttemptResult> {
    return nextStep(message.attemptCount, this.#maxAttempts) === 'attempt'
      ? this.#attempt(claim, message, signal)
      : this.#giveUp(claim, message, signal);
  }

  #malformed(claim: Claim, problem: string): AttemptResult {
    this.#options.log.error(`Moved a malformed message of ${claim.raw.length} bytes to the dead list: ${problem}`);
    return { settlement: this.#options.burial.bury(claim, 'malformed', problem) };
  }

  async #giveUp(claim: Claim, message: Message, signal: AbortSignal): Promise<AttemptResult> {
    return { settlement: await this.#options.givingUp.giveUp(claim, message, signal), messageId: message.id };
  }

  async #attempt(claim: Claim, message: Message, signal: AbortSignal): Promise<AttemptResult> {
    const { server, metrics, clock } = this.#options;
    const id = printable(message.id, ID_LENGTH);
    this.#tell(`Processing message ${id} (attempt ${message.attemptCount + 1}/${this.#maxAttempts})`);
    const ageMs = message.queuedAtMs === undefined ? undefined : clock.wallNow() - message.queuedAtMs;
    if (message.attemptCount === 0 && ageMs !== undefined) metrics.observeWait(Math.max(0, ageMs) / 1000);
    const startedAt = clock.now();
    let outcome = await server.deliver(message.id, signal);
    if (isUnregistered(outcome)) outcome = await this.#untilRegistered(message, ageMs, outcome, signal);
    if (outcome.kind === 'aborted') return { settlement: { kind: 'hand-back', claim }, messageId: message.id };
    metrics.observeDelivery((clock.now() - startedAt) / 1000);
    return outcome.kind === 'failed' ? this.#failed(claim, message, outcome) : this.#delivered(claim, message, id);
  }

  /** Repeats the POST inside the attempt while a young message is not registered yet. */
  async #untilRegistered(
    message: Message,
    ageMs: number | undefined,
    first: DeliveryOutcome,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome> {
    const { config, server, clock, log } = this.#options;
    const { attemptCount } = message;
    const graceMs = config.mainServer.notFoundGraceMs;
    let outcome = first;
    for (let repeat = 0; isUnregistered(outcome); repeat += 1) {
      const delayMs = young404DelayMs({ repeat, ageMs, attemptCount, graceMs });
      if (delayMs === undefined) break;
      log.debug(
        `Main server does not know message ${printable(message.id, ID_LENGTH)} yet, asking again in ${delayMs} ms`,
      );
      await clock.sleep(delayMs, signal);
      outcome = await server.deliver(message.id, signal);
    }
    return outcome;
  }

  #delivered(claim: Claim, message: Message, id: string): AttemptResult {
    const { metrics } = this.#options;
    metrics.processed('delivered');
    metrics.delivered();
    this.#tell(`Message ${id} delivered successfully`);
    return { settlement: { kind: 'ack', claim }, messageId: message.id };
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
    const { errorMessage, fateUnknown } = outcome;
    metrics.failed(outcome.reason, { at: clock.wallNow(), error: errorMessage, messageId });
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
      settlement: { kind: 'retry', claim, message: raw, messageId, delayMs },
      messageId,
      failed: true,
      ...(fateUnknown ? {} : { statusUpdate: { status: 'queued', attemptCount, errorMessage } }),
    };
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

/** The main server answered that it has no such message. */
function isUnregistered(outcome: DeliveryOutcome): boolean {
  return outcome.kind === 'failed' && outcome.messageUnknown;
}
