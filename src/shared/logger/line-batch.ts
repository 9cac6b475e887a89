/**
 * Gathers lines so that one hand-over carries many: a pass through winston costs some 10 µs, a line here under 1 µs.
 *
 *   idle ──first line──→ due (at once, or when the last hand-over is 25 ms old) ──timer, size or urgent──→ idle
 *
 * An urgent line does not wait for the end of the turn: whatever this turn still does, the line is out. Of many in quick
 * succession only the first goes so: where each delivery fails, each says an error, and a hand-over for each was more
 * than half of what a failure costs. What a process that ends still holds, it writes with its last words.
 *
 * Lines leave in the order in which they came.
 */
import type { Clock, Timer } from '../time/clock.js';

export interface Batch {
  /** Lines joined by newlines, none at the end. */
  readonly text: string;
  readonly lines: number;
}

export interface LineBatch {
  /** `urgent`: hand over now, with everything before it, unless the last hand-over is younger than `INTERVAL_MS`. */
  append(line: string, urgent: boolean): void;
  flush(): void;
  /** What was not handed over yet; the caller takes charge of it. */
  take(): Batch | undefined;
}

/** Nobody reads along faster; at 10 ms, hand-overs took 5 of 90 µs per message more. */
const INTERVAL_MS = 25;
/** In UTF-16 units: 60 KiB, since lines are ASCII but for ids that are not. A longer line goes alone. */
const FULL = 60 * 1024;

export function createLineBatch(clock: Clock, handOver: (batch: Batch) => void): LineBatch {
  let text = '';
  let lines = 0;
  let handedOverAt = Number.NEGATIVE_INFINITY;
  let immediate: NodeJS.Immediate | undefined;
  let timer: Timer | undefined;

  function schedule(): void {
    const age = clock.now() - handedOverAt;
    if (age >= INTERVAL_MS) immediate = setImmediate(flush);
    else timer = clock.after(INTERVAL_MS - age, flush);
  }

  function take(): Batch | undefined {
    clearImmediate(immediate);
    timer?.cancel();
    if (lines === 0) return undefined;
    const batch = { text, lines };
    text = '';
    lines = 0;
    return batch;
  }

  function flush(): void {
    const batch = take();
    if (batch === undefined) return;
    handedOverAt = clock.now();
    handOver(batch);
  }

  return {
    append(line, urgent) {
      if (lines > 0 && text.length + line.length > FULL) flush();
      text = lines === 0 ? line : `${text}\n${line}`;
      lines += 1;
      if (urgent && clock.now() - handedOverAt >= INTERVAL_MS) flush();
      else if (lines === 1) schedule();
    },
    flush,
    take,
  };
}
