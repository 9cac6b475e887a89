/**
 * What an operator does to messages that wait, for a worker or for their retry. What is claimed is a worker's, and left alone.
 *
 * Everything goes in steps that hold Redis for some milliseconds, each of which leaves every message in one place: a run may be
 * ended, killed and repeated at any of them.
 */
import type { Buffer } from 'node:buffer';
import type { Clock } from '../../shared/time/clock.js';
import type { RedisConnection } from '../connection/connection.js';
import type { RedisKeys } from '../keys.js';
import { cancelled, erased, type Removal } from './cancelled-letter.js';
import { overRetries } from './over-retries.js';
import { overWaiting } from './over-waiting.js';
import { hasten, takeOutRetries } from './retry-entries.js';
import { newTally, type ActionProgress, type ActionRun, type Tally } from './run.js';
import { takeOutWaiting } from './waiting-entries.js';

/** Every method rejects with RedisUnavailableError while Redis does not answer. */
export interface MessageActions {
  /** Makes retries due as soon as no status of their last attempt can be on its way any more. */
  retry(run: ActionRun): Promise<ActionProgress>;
  /** To the dead letters. Rejects with UnusableRedisError where Redis refuses that. */
  cancel(run: ActionRun): Promise<ActionProgress>;
  /** Out of the queue and the retries, with nothing kept. Rejects as `cancel`. */
  erase(messageId: string): Promise<ActionProgress>;
}

interface MessageActionsOptions {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly clock: Clock;
}

export class RedisMessageActions implements MessageActions {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #clock: Clock;

  constructor({ connection, keys, clock }: MessageActionsOptions) {
    this.#connection = connection;
    this.#keys = keys;
    this.#clock = clock;
  }

  async retry(run: ActionRun): Promise<ActionProgress> {
    const tally = newTally(await this.#count('ZCARD', this.#keys.retry));
    await overRetries(this.#tools(), run, tally, async (meant, now) => {
      const waiting = meant.filter(({ isHastened, dueAt }) => !isHastened && dueAt > now);
      const ours = waiting.filter(({ intervalMs }) => intervalMs !== undefined);
      tally.already += meant.length - waiting.length;
      tally.earlier += waiting.length - ours.length;
      if (run.dryRun) return new Set(meant);
      noteHastened(tally, await hasten(this.#connection, this.#keys, ours));
      return new Set(meant.filter((entry) => !ours.includes(entry)));
    });
    return tally;
  }

  cancel(run: ActionRun): Promise<ActionProgress> {
    return this.#takeOut(run, (raw) => cancelled(raw, this.#clock.wallNow()));
  }

  erase(messageId: string): Promise<ActionProgress> {
    return this.#takeOut({ filter: { ids: [messageId] }, dryRun: false }, erased);
  }

  /** The retries first: what falls due meanwhile is met among the waiting. */
  async #takeOut(run: ActionRun, removal: (raw: Buffer) => Removal): Promise<ActionProgress> {
    const tools = this.#tools();
    const { retry, queue } = this.#keys;
    const tally = newTally((await this.#count('ZCARD', retry)) + (await this.#count('LLEN', queue)));
    const { places = ['retry', 'waiting'] } = run.filter;
    if (places.includes('retry')) {
      await overRetries(tools, run, tally, async (meant) => {
        if (run.dryRun) return new Set(meant);
        const removals = meant.map((entry) => [entry, removal(entry.raw)] as const);
        tally.done += await takeOutRetries(this.#connection, this.#keys, removals);
        return new Set();
      });
    }
    if (places.includes('waiting') && !tally.isInterrupted) {
      await overWaiting(tools, run, tally, async (meant) => {
        const removals = meant.map((entry) => [entry, removal(entry.raw)] as const);
        tally.done += await takeOutWaiting(this.#connection, this.#keys, removals);
      });
    }
    return tally;
  }

  async #count(command: 'ZCARD' | 'LLEN', key: string): Promise<number> {
    return (await this.#connection.call(command, key)) as number;
  }

  #tools() {
    return { connection: this.#connection, keys: this.#keys };
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
