/** Earlier versions bury in a list. Its letters are moved to the index, the oldest first, for as long as there are some. */
import type { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readDeadLetter } from '../../domain/dead-letters/dead-letter.js';
import { indexWords } from '../../domain/dead-letters/index-line.js';
import type { Clock } from '../../shared/time/clock.js';
import type { RedisArgument, RedisConnection } from '../connection/connection.js';
import { redisScript } from '../connection/script.js';
import type { RedisKeys } from '../keys.js';
import type { DeadLetterInbox } from '../background-queue.js';
import { BEGINNING_BYTES, WHOLE_BYTES } from './entry.js';

/** A step holds Redis for about 2 ms, and the process that takes it for as long. */
const STEP_LETTERS = 100;
const STEP_BYTES = 1_048_576;
/** Two different letters of the same length that agree so far get two numbers, as twins do. */
const HASHED_BYTES = 65_536;

const inboxScript = redisScript('dead-letters/inbox');
const adoptScript = redisScript('dead-letters/adopt');

interface Emptying {
  readonly clock: Clock;
  readonly budgetMs?: number;
  readonly onMoved?: (moved: number, left: number) => void;
}

type Step = Awaited<ReturnType<DeadLetterInbox['moveOldDeadLetters']>>;

export class DeadLetterMove {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  #lastScore = 0;

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  async step(): Promise<Step> {
    const { dead, deadIndex, deadLetters } = this.#keys;
    const bounds = [STEP_LETTERS, STEP_BYTES, WHOLE_BYTES, BEGINNING_BYTES];
    const reply = await inboxScript.run(this.#connection, [dead], bounds);
    const [left, found] = reply as [number, (number | Buffer)[]];
    if (found.length === 0) return { moved: 0, unreadable: 0, left };
    const args: RedisArgument[] = [HASHED_BYTES];
    const readable: boolean[] = [];
    for (let at = 0; at < found.length; at += 2) {
      const storedBytes = found[at] as number;
      const stored = found[at + 1] as Buffer;
      const letter = readDeadLetter(stored, storedBytes);
      readable.push(letter !== undefined);
      const hash = createHash('sha1').update(stored.subarray(0, HASHED_BYTES)).digest('hex');
      args.push(storedBytes, hash, indexWords(letter), this.#scoreOf(letter?.deadAt));
    }
    const moved = (await adoptScript.run(this.#connection, [dead, deadIndex, deadLetters], args)) as [number, number];
    const unreadable = readable.slice(0, moved[0]).filter((isLetter) => !isLetter).length;
    return { moved: moved[0], unreadable, left: moved[1] };
  }

  /** Until the list is empty or, when it is given, the time is over; resolves to the letters left. */
  async empty({ clock, budgetMs = Infinity, onMoved }: Emptying): Promise<number> {
    const until = clock.now() + budgetMs;
    for (let moved = 0; ;) {
      const step = await this.step();
      moved += step.moved;
      if (step.left === 0 || step.moved === 0 || clock.now() >= until) return step.left;
      onMoved?.(moved, step.left);
    }
  }

  /** Milliseconds; letters of one millisecond keep their order by thousandths. What has no time has died now. */
  #scoreOf(deadAt: string | undefined): string {
    const at = Date.parse(deadAt ?? '');
    if (!Number.isFinite(at)) return '';
    this.#lastScore = at === Math.floor(this.#lastScore) ? Math.min(this.#lastScore + 0.001, at + 0.999) : at;
    return this.#lastScore.toFixed(3);
  }
}
