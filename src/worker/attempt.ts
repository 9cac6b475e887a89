import type { MainServer, StatusUpdate } from '../delivery/main-server.js';
import type { Attempt as BreakerAttempt, CircuitBreaker } from '../domain/circuit-breaker.js';
import type { DeadLetterReason } from '../domain/dead-letter-reasons.js';
import { deadLetter } from '../domain/dead-letter.js';
import type { DeliveryOutcome } from '../domain/delivery-outcome.js';
import { printable } from '../shared/words/escape.js';
import { parseMessage, withAttemptCount, type Message } from '../domain/message.js';
import { nextStep, young404DelayMs } from '../domain/retry-policy.js';
import type { Claim, Settlement } from '../queue/message-queue.js';
import type { Clock } from '../shared/time/clock.js';
import type { Config } from '../shared/config/config.js';
import type { Log } from '../shared/logger/log.js';
import type { WorkerMetrics } from '../shared/metrics/worker-metrics.js';

/** How one attempt ended: how to settle the claim, and what to tell the main server once that is done. */
export interface AttemptResult {
  readonly settlement: Settlement;
  /** Sent only after the settlement acted: before it, another process might be delivering the message. */
  readonly statusUpdate?: { readonly messageId: string; readonly update: StatusUpdate };
}

export interface AttemptDeps {
  readonly config: Pick<Config, 'worker' | 'mainServer'>;
  readonly workerId: string;
  readonly server: MainServer;
  readonly breaker: CircuitBreaker;
  readonly metrics: WorkerMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

type Failed = Extract<DeliveryOutcome, { kind: 'failed' }>;

const ID_LENGTH = 255;
const DETAIL_LENGTH = 200;

/** One attempt at one claimed message; never rejects. `signal` (the kill) hands the message back untouched. */
export function createAttempt(deps: AttemptDeps): (claim: Claim, signal: AbortSignal) => Promise<AttemptResult> {
  const { config, server, breaker, metrics, clock, log } = deps;
  const { maxAttempts, retryIntervalMs } = config.worker;

  function bury(claim: Claim, reason: DeadLetterReason, error: string, of?: Message): AttemptResult {
    metrics.failed(reason, { at: clock.wallNow(), error, messageId: of?.id ?? '' });
    const attemptCount = of?.attemptCount ?? 0;
    const letter = { raw: claim.raw, reason, error, attemptCount, workerId: deps.workerId, deadAt: clock.wallNow() };
    return { settlement: { kind: 'bury', claim, envelope: deadLetter(letter) } };
  }

  /** One exchange with the main server that the breaker learns from; `begun` before it. */
  async function observed(begun: BreakerAttempt, exchange: Promise<DeliveryOutcome>): Promise<DeliveryOutcome> {
    const outcome = await exchange;
    breaker.record(begun, outcome, clock.now());
    return outcome;
  }

  function post(id: string, signal: AbortSignal): Promise<DeliveryOutcome> {
    return observed(breaker.begin(), server.deliver(id, signal));
  }

  /** Repeats the POST inside the attempt while a young message is not registered yet. */
  async function untilRegistered(
    message: Message,
    ageMs: number | undefined,
    first: DeliveryOutcome,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome> {
    const { attemptCount } = message;
    const graceMs = config.mainServer.notFoundGraceMs;
    let outcome = first;
    for (let repeat = 0; isUnregistered(outcome); repeat += 1) {
      const delay = young404DelayMs({ repeat, ageMs, attemptCount, graceMs });
      if (delay === undefined) break;
      log.debug(
        `Main server does not know message ${printable(message.id, ID_LENGTH)} yet, asking again in ${delay} ms`,
      );
      await clock.sleep(delay, signal);
      outcome = await post(message.id, signal);
    }
    return outcome;
  }

  async function giveUp(claim: Claim, message: Message, signal: AbortSignal): Promise<AttemptResult> {
    const id = printable(message.id, ID_LENGTH);
    log.error(`Message ${id} exceeded max attempts (${maxAttempts}), marking as failed`);
    const errorMessage = 'Max attempts exceeded';
    const update: StatusUpdate = { status: 'failed', attemptCount: message.attemptCount, errorMessage };
    const { timeoutMs } = config.mainServer;
    const outcome = await observed(breaker.begin(), server.updateStatus(message.id, update, timeoutMs, signal));
    if (outcome.kind === 'aborted') return { settlement: { kind: 'hand-back', claim } };
    if (outcome.kind === 'failed' && !outcome.reachable) {
      // buried now, the main server would show it as queued for ever: tell it first, however long that takes
      log.warn(`Message ${id} could not be marked as failed (${outcome.errorMessage}), trying again later`);
      return {
        settlement: { kind: 'retry', claim, message: claim.raw, messageId: message.id, delayMs: retryIntervalMs },
      };
    }
    return bury(claim, 'max_attempts_exceeded', errorMessage, message);
  }

  function logFailure(id: string, outcome: Failed): void {
    const detail = printable(outcome.detail, DETAIL_LENGTH);
    if (outcome.status === undefined) {
      const more = detail === '' || detail === outcome.errorMessage ? '' : ` (${detail})`;
      log.error(`Failed to connect to main server: ${outcome.errorMessage}${more}`);
    } else {
      log.error(`Main server returned error ${outcome.status} for message ${id}: ${detail}`);
    }
    log.warn(`Message ${id} delivery failed, will retry`);
    log.info(`Waiting ${retryIntervalMs / 1000}s before retrying message ${id}`);
  }

  function reschedule(claim: Claim, message: Message, outcome: Failed): AttemptResult {
    const attemptCount = message.attemptCount + 1;
    metrics.failed(outcome.reason, { at: clock.wallNow(), error: outcome.errorMessage, messageId: message.id });
    metrics.processed('failed');
    logFailure(printable(message.id, ID_LENGTH), outcome);
    return {
      settlement: {
        kind: 'retry',
        claim,
        message: withAttemptCount(claim.raw, attemptCount),
        messageId: message.id,
        delayMs: retryIntervalMs,
      },
      statusUpdate: {
        messageId: message.id,
        update: { status: 'queued', attemptCount, errorMessage: outcome.errorMessage },
      },
    };
  }

  async function deliver(claim: Claim, message: Message, signal: AbortSignal): Promise<AttemptResult> {
    const id = printable(message.id, ID_LENGTH);
    log.info(`Processing message ${id} (attempt ${message.attemptCount + 1}/${maxAttempts})`);
    const ageMs = message.queuedAtMs === undefined ? undefined : clock.wallNow() - message.queuedAtMs;
    if (message.attemptCount === 0 && ageMs !== undefined) metrics.observeWait(Math.max(0, ageMs) / 1000);
    const startedAt = clock.now();
    const first = await post(message.id, signal);
    const outcome = isUnregistered(first) ? await untilRegistered(message, ageMs, first, signal) : first;
    if (outcome.kind === 'aborted') return { settlement: { kind: 'hand-back', claim } };
    metrics.observeDelivery((clock.now() - startedAt) / 1000);
    if (outcome.kind === 'failed') return reschedule(claim, message, outcome);
    metrics.processed('delivered');
    metrics.delivered();
    log.info(`Message ${id} delivered successfully`);
    return { settlement: { kind: 'ack', claim } };
  }

  // not async: each layer around the promise of an attempt costs three turns of the microtask queue
  return (claim, signal) => {
    const parsed = parseMessage(claim.raw);
    if (!parsed.ok) {
      log.error(`Moved a malformed message of ${claim.raw.length} bytes to the dead list: ${parsed.problem}`);
      return Promise.resolve(bury(claim, 'malformed', parsed.problem));
    }
    const { message } = parsed;
    return nextStep(message.attemptCount, maxAttempts) === 'attempt'
      ? deliver(claim, message, signal)
      : giveUp(claim, message, signal);
  };
}

/** The main server answered that it has no such message. */
function isUnregistered(outcome: DeliveryOutcome): boolean {
  return outcome.kind === 'failed' && outcome.messageUnknown;
}
