/** What the quickstart shows while it runs: two lines that change in place on a terminal, else a line a second. */
import type { WriteStream } from 'node:tty';
import type { QueueSizes } from '../../src/queue/message-queue.js';

export interface Sight {
  readonly elapsedMs: number;
  /** By the main server's ledger. */
  readonly delivered: number;
  /** Messages we enqueued. */
  readonly enqueued: number;
  /** POSTs that were not answered with 2xx. */
  readonly failedAttempts: number;
  /** Undefined while Redis does not answer. */
  readonly sizes: QueueSizes | undefined;
}

export interface Progress {
  /** `now` = whatever the time since the last line. */
  show(sight: Sight, now?: boolean): void;
  /** Leaves what is shown where it is; the next `show` begins below. */
  release(): void;
}

const BAR_CELLS = 30;
const RATE_WINDOW_MS = 1_000;
const LINE_EVERY_MS = 1_000;
const ERASE_BELOW = '\x1b[0J';

export function createProgress(stream: NodeJS.WriteStream): Progress {
  const rate = deliveryRate();
  return stream.isTTY ? blockInPlace(stream, rate) : lines(stream, rate);
}

type Rate = (sight: Sight) => number;

/** Messages per second over the last second. */
function deliveryRate(): Rate {
  const seen: { readonly at: number; readonly delivered: number }[] = [];
  return ({ elapsedMs, delivered }) => {
    seen.push({ at: elapsedMs, delivered });
    while (seen.length > 2 && elapsedMs - (seen[1]?.at ?? 0) >= RATE_WINDOW_MS) seen.shift();
    const first = seen[0];
    if (!first || elapsedMs <= first.at) return 0;
    return ((delivered - first.delivered) * 1_000) / (elapsedMs - first.at);
  };
}

function blockInPlace(stream: WriteStream, rate: Rate): Progress {
  let shown = 0;
  return {
    show(sight) {
      const width = Math.max(20, (stream.columns || 80) - 1);
      const block = blockOf(sight, rate(sight)).map((line) => line.slice(0, width));
      const back = shown > 0 ? `\x1b[${shown}A\r${ERASE_BELOW}` : '';
      stream.write(`${back}${block.join('\n')}\n`);
      shown = block.length;
    },
    release() {
      shown = 0;
    },
  };
}

function blockOf(sight: Sight, perSecond: number): string[] {
  const { delivered, enqueued } = sight;
  const cells = Math.min(BAR_CELLS, Math.floor((delivered / enqueued) * BAR_CELLS));
  const bar = `[${'#'.repeat(cells)}${'.'.repeat(BAR_CELLS - cells)}]`;
  return [`  ${bar} ${deliveredText(sight)}   ${count(perSecond)}/s`, `  ${placesText(sight)}`];
}

function lines(stream: NodeJS.WritableStream, rate: Rate): Progress {
  let dueMs = 0;
  let last = '';
  return {
    show(sight, now = false) {
      const perSecond = rate(sight);
      if (sight.elapsedMs < dueMs && !now) return;
      dueMs = sight.elapsedMs + LINE_EVERY_MS;
      const text = `${deliveredText(sight)}, ${placesText(sight)}`;
      if (text === last) return; // at rest there is nothing to say
      last = text;
      stream.write(`${String(Math.round(sight.elapsedMs / 1_000)).padStart(4)} s  ${text}, ${count(perSecond)}/s\n`);
    },
    release() {
      dueMs = 0;
    },
  };
}

function deliveredText({ delivered, enqueued }: Sight): string {
  // More than we enqueued: the user sent some.
  return delivered > enqueued ? `delivered ${count(delivered)}` : `delivered ${count(delivered)} of ${count(enqueued)}`;
}

function placesText({ sizes, failedAttempts }: Sight): string {
  const failed = `failed attempts ${count(failedAttempts)}`;
  if (!sizes) return `Redis does not answer, ${failed}`;
  const { waiting, processing, retrying, dead } = sizes;
  const places = `waiting ${count(waiting)}, in flight ${count(processing)}, retry ${count(retrying)}, dead ${count(dead)}`;
  return `${places}, ${failed}`;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
