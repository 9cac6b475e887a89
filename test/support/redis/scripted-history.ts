import { NOTHING_COUNTED, type HistoryCounts } from '../../../src/domain/history/book.js';
import type { HistoryLook, HistoryNote, HistoryQueue } from '../../../src/queue/background-queue.js';
import { RedisUnavailableError, SideBooksOffError, UnusableRedisError } from '../../../src/shared/errors.js';

/** A history that takes notes as Redis does, or refuses them as the test says. */
export class ScriptedHistory implements HistoryQueue {
  readonly notes: HistoryNote[] = [];
  isUp = true;
  refusal: string | undefined;
  hasRoom = true;
  isOff = false;
  /** The next note is taken, and its answer lost. */
  losesAnswer = false;
  look: HistoryLook = { at: Date.UTC(2026, 0, 1), arrived: 0, waiting: 0, oldest: undefined };
  readonly #known = new Map<string, HistoryCounts>();
  #written = NOTHING_COUNTED;

  isReady(): boolean {
    return this.isUp;
  }

  /** What stands in the book, of all writers. */
  get written(): HistoryCounts {
    return this.#written;
  }

  async noteHistory(note: HistoryNote): Promise<HistoryLook> {
    if (this.isOff) throw new SideBooksOffError();
    if (!this.isUp) throw new RedisUnavailableError('it is away', true);
    if (this.refusal !== undefined) throw new RedisUnavailableError(this.refusal, false);
    if (!this.hasRoom) throw new UnusableRedisError('no room');
    this.notes.push(note);
    const before = this.#known.get(note.writer) ?? note.written;
    this.#known.set(note.writer, note.counts);
    this.#written = combined(this.#written, combined(note.counts, before, -1), 1);
    if (this.losesAnswer) {
      this.losesAnswer = false;
      throw new RedisUnavailableError('lost', true);
    }
    return this.look;
  }
}

function combined(one: HistoryCounts, other: HistoryCounts, sign: 1 | -1): HistoryCounts {
  return {
    delivered: one.delivered + sign * other.delivered,
    failed: one.failed + sign * other.failed,
    retried: one.retried + sign * other.retried,
    buried: one.buried + sign * other.buried,
    acknowledged: one.acknowledged + sign * other.acknowledged,
  };
}
