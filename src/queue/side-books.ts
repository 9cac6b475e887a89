/**
 * What is kept beside the messages: failed attempts, their counts by the hour, the history, the audit, who is there. None of it is part of
 * a settlement, and together they take no more of Redis than REDIS_SIDE_BOOKS_MAX, or about that: what one process has
 * measured holds for all of the fleet for half a minute. Who writes such a book asks before it grows.
 */
import type { Buffer } from 'node:buffer';
import { failureHours } from '../domain/failures/hours.js';
import { dayName, dayOf, HOURS_KEPT_DAYS, MINUTES_KEPT_DAYS, monthName } from '../domain/history/book.js';
import type { Clock } from '../shared/time/clock.js';
import type { RedisConnection } from './connection/connection.js';
import { redisScript } from './connection/script.js';
import type { RedisKeys } from './keys.js';

/** Why nothing is added to one of them. */
export const SIDE_BOOKS_FULL =
  'failed attempts, history, audit and fleet take all that REDIS_SIDE_BOOKS_MAX gives them';

const MEASURE_EVERY_MS = 30_000;

const measureScript = redisScript('side-books/measure');

interface SideBooksOptions {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  /** REDIS_SIDE_BOOKS_MAX in bytes; 0 = none are kept. */
  readonly mostBytes: number;
  readonly clock: Clock;
}

export class SideBooks {
  readonly #options: SideBooksOptions;
  #lookedAt = -Infinity;
  #bytes = 0;

  constructor(options: SideBooksOptions) {
    this.#options = options;
  }

  /** By the last look. What cannot be measured may grow: each book has bounds of its own. */
  get mayGrow(): boolean {
    return this.#bytes < this.#options.mostBytes;
  }

  /** Nothing is to be kept at all. */
  get areOff(): boolean {
    return this.#options.mostBytes === 0;
  }

  /** Looks again if the last look is half a minute old. Rejects with RedisUnavailableError while Redis does not answer. */
  async look(): Promise<void> {
    const { connection, keys, clock } = this.#options;
    if (clock.now() - this.#lookedAt < MEASURE_EVERY_MS) return;
    this.#lookedAt = clock.now();
    const known = (await connection.callPermitted(null, 'GET', keys.sideBooks)) as Buffer | null;
    this.#bytes = known ? Number(known) || 0 : await this.#measure();
  }

  async #measure(): Promise<number> {
    const { connection, keys, clock } = this.#options;
    const books = booksOf(keys, clock.wallNow());
    return (await measureScript.run(connection, [keys.sideBooks, ...books], [MEASURE_EVERY_MS])) as number;
  }
}

function booksOf(keys: RedisKeys, now: number): string[] {
  const today = dayOf(now);
  const days = (count: number): number[] => Array.from({ length: count + 1 }, (_, ago) => today - ago);
  const months = new Set(days(HOURS_KEPT_DAYS).map(monthName));
  return [
    ...[keys.failures, keys.audit, keys.history, keys.historyWriters, keys.fleet],
    ...failureHours(now).map((hour) => keys.failuresIn(hour)),
    ...days(MINUTES_KEPT_DAYS).map((day) => keys.historyOf(dayName(day))),
    ...[...months].map((month) => keys.historyOf(month)),
  ];
}
