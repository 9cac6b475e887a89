/**
 * What an operator does to messages that wait, for a worker or for their retry. What is claimed is a worker's, and left alone.
 *
 * Everything goes in steps that hold Redis for some milliseconds, each of which leaves every message in one place: a run may be
 * ended, killed and repeated at any of them.
 */
import type { Buffer } from 'node:buffer';
import type { Clock } from '../../shared/time/clock.js';
import type { RedisConnection } from '../connection/connection.js';
import type { DeadLetters } from '../dead-letters/dead-letters.js';
import { forgetExamples } from '../failures/examples.js';
import type { RedisKeys } from '../keys.js';
import type { Messages } from '../messages/messages.js';
import { cancelled, erased, type Removal } from './cancelled-letter.js';
import { overMessages } from './over-messages.js';
import { hasten, isHastened, takeOutRetries } from './retries.js';
import { newTally, type ActionProgress, type ActionRun, type Tally } from './run.js';
import { takeOutWaiting } from './waiting.js';

/** Every method rejects with RedisUnavailableError while Redis does not answer. */
export interface MessageActions {
  /** Makes retries due as soon as no status of their last attempt can be on its way any more. */
  retry(run: ActionRun): Promise<ActionProgress>;
  /** To the dead letters. Rejects with UnusableRedisError where Redis refuses that. */
  cancel(run: ActionRun): Promise<ActionProgress>;
  /** Out of all places, with everything that is kept of it. Rejects as `cancel`. */
  erase(messageId: string): Promise<Erasure>;
}

export interface Erasure {
  /** Copies that waited, for a worker or for their retry, and dead letters that are gone by our doing. */
  readonly living: number;
  readonly letters: number;
  /** A worker has it, and decides what becomes of it; there may be more copies. */
  readonly isClaimed: boolean;
  /** The main server is being told of a letter, which stays for so long; 0 = of none. */
  readonly againInMs: number;
}

/** A worker writes what it counts of failures up to a second later. */
const COUNTED_AFTER_MS = 1_500;

const NOTHING_ERASED: Erasure = { living: 0, letters: 0, isClaimed: false, againInMs: 0 };

interface MessageActionsOptions {
  readonly deadLetters: Pick<DeadLetters, 'purge'>;
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly messages: Messages;
  readonly clock: Clock;
}

export class RedisMessageActions implements MessageActions {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #messages: Messages;
  readonly #deadLetters: Pick<DeadLetters, 'purge'>;
  readonly #clock: Clock;

  constructor({ connection, keys, messages, deadLetters, clock }: MessageActionsOptions) {
    this.#connection = connection;
    this.#keys = keys;
    this.#messages = messages;
    this.#deadLetters = deadLetters;
    this.#clock = clock;
  }

  async retry(run: ActionRun): Promise<ActionProgress> {
    const tally = newTally(await this.#count('ZCARD', this.#keys.retry));
    await overMessages(this.#messages.walk('retry', run), run, tally, async (meant) => {
      const later = meant.filter((retry) => retry.dueInMs > 0 && !isHastened(retry));
      const ours = later.filter(({ intervalMs }) => intervalMs !== undefined);
      tally.already += meant.length - later.length;
      tally.earlier += later.length - ours.length;
      if (!run.dryRun) noteHastened(tally, await hasten(this.#connection, this.#keys, ours));
    });
    return tally;
  }

  cancel(run: ActionRun): Promise<ActionProgress> {
    return this.#takeOut(run, (raw) => cancelled(raw, this.#clock.wallNow()));
  }

  async erase(messageId: string): Promise<Erasure> {
    if (await this.#isClaimed(messageId)) return { ...NOTHING_ERASED, isClaimed: true };
    const run = { filter: { ids: [messageId] }, dryRun: false };
    const { done: living } = await this.#takeOut(run, erased);
    const { done: letters, beingTold } = await this.#deadLetters.purge(run);
    await this.#connection.callPermitted(0, 'HDEL', this.#keys.failures, messageId);
    if (living > 0) await this.#clock.sleep(COUNTED_AFTER_MS);
    await forgetExamples(this.#connection, this.#keys, messageId, this.#clock.wallNow());
    // claimed in the very moment, or it has failed since
    const isClaimed = await this.#isClaimed(messageId);
    return { living, letters, isClaimed, againInMs: beingTold?.againInMs ?? 0 };
  }

  async #isClaimed(messageId: string): Promise<boolean> {
    for await (const { found } of this.#messages.walk('in_flight', { filter: { ids: [messageId] } })) {
      if (found.length > 0) return true;
    }
    return false;
  }

  /** The retries first: what falls due meanwhile is met among the waiting. */
  async #takeOut(run: ActionRun, removal: (raw: Buffer) => Removal): Promise<ActionProgress> {
    const { retry, queue } = this.#keys;
    const { places = ['retry', 'waiting'] } = run.filter;
    const tally = newTally(0);
    if (places.includes('retry')) tally.total += await this.#count('ZCARD', retry);
    // what is not due has no place among those that a due time means
    const isAmongWaiting = places.includes('waiting') && run.filter.dueWithinMs === undefined;
    if (isAmongWaiting) tally.total += await this.#count('LLEN', queue);
    if (places.includes('retry')) {
      await overMessages(this.#messages.walk('retry', run), run, tally, async (meant) => {
        if (!run.dryRun) tally.done += await takeOutRetries(this.#connection, this.#keys, meant, removal);
      });
    }
    if (isAmongWaiting && !tally.isInterrupted) {
      await overMessages(this.#messages.walk('waiting', run), run, tally, async (meant) => {
        if (run.dryRun) return;
        const removals = meant.map((message) => [message, removal(message.raw)] as const);
        tally.done += await takeOutWaiting(this.#connection, this.#keys, removals);
      });
    }
    return tally;
  }

  async #count(command: 'ZCARD' | 'LLEN', key: string): Promise<number> {
    return (await this.#connection.call(command, key)) as number;
  }
}

function noteHastened(tally: Tally, became: readonly (number | undefined)[]): void {
  for (const left of became) {
    if (left === undefined) continue;
    tally.done += 1;
    if (left > 0) tally.later += 1;
    tally.laterMs = Math.max(tally.laterMs, left);
  }
}
