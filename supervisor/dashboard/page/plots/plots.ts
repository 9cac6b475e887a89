/**
 * The plots over time: of the last half hour from what this supervisor measures, of the days before from the history in
 * Redis. All share one time axis and one cursor. Marks come with the history, so that is asked for in every range: when the
 * page opens, each minute, and soon after something was done.
 */
import type { StatusEvent } from '../../../status/status-events.js';
import { ask, RefusedError } from '../admin-requests.js';
import { byId, setAttribute, setText } from '../elements.js';
import * as format from '../format.js';
import { printable } from '../../../../src/shared/words/escape.js';
import type { HistoryDocument } from '../../../admin/protocol.js';
import { Fold } from './fold.js';
import { showHappenings } from './happenings.js';
import { marksIn, NO_MARKS, type Marks } from './marks.js';
import { pastColumns, type Columns } from './past.js';
import { PAST, RECENT } from './plans.js';
import { createPlot, type Plot, type View } from './plot.js';
import type { SampleBuffer } from './sample-buffer.js';

interface Range {
  readonly name: string;
  readonly seconds: number;
  readonly source: 'recent' | 'past';
  readonly query: { readonly days: number; readonly by: HistoryDocument['by'] };
}

const DAY_S = 86_400;
const ofHours = { days: 1, by: 'hour' } as const;
const RANGES: readonly Range[] = [
  { name: '5 min', seconds: 300, source: 'recent', query: ofHours },
  { name: '30 min', seconds: 1_800, source: 'recent', query: ofHours },
  { name: '6 h', seconds: 6 * 3_600, source: 'past', query: { days: 1, by: 'minute' } },
  { name: '24 h', seconds: DAY_S, source: 'past', query: { days: 1, by: 'minute' } },
  { name: '7 days', seconds: 7 * DAY_S, source: 'past', query: { days: 7, by: 'hour' } },
];
/** With fewer samples than this the axis is not drawn out any further. */
const SHORTEST_SPAN_S = 120;
const EVERY_MS = 60_000;
/** A deed is written down a little after it was done, an outage when it has lasted for 5 s. */
const SOON_MS = [2_000, 10_000];
const NONE: Columns = { length: 0, column: () => [] };

const NOTES = {
  recent: '',
  past: 'Of all hosts. Delivery time, CPU and memory are kept for 30 min.',
};

export class Plots {
  readonly #place: HTMLElement;
  readonly #samples: SampleBuffer;
  readonly #fold = new Fold();
  readonly #plots: Readonly<Record<Range['source'], readonly Plot[]>>;
  #range: Range;
  #history: HistoryDocument | undefined;
  #past = NONE;
  #marks: Marks = NO_MARKS;
  #asked = 0;
  #isRedisUp = false;
  #seen = '';
  #soon: readonly ReturnType<typeof setTimeout>[] = [];

  constructor(place: HTMLElement, samples: SampleBuffer) {
    this.#place = place;
    this.#samples = samples;
    this.#range = rangeNamed(chosen());
    const past = (): Columns => this.#past;
    this.#plots = {
      recent: RECENT.map((plan) =>
        createPlot(
          plan,
          this.#view(
            () => samples,
            () => this.#recentRange(),
          ),
        ),
      ),
      past: PAST.map((plan) =>
        createPlot(
          plan,
          this.#view(past, () => this.#pastRange()),
        ),
      ),
    };
    place.append(...[...this.#plots.recent, ...this.#plots.past].map(({ element }) => element));
    for (const input of document.querySelectorAll<HTMLInputElement>('input[name="range"]')) {
      input.onchange = () => this.#choose(rangeNamed(chosen()));
    }
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
    setInterval(() => void this.refresh(), EVERY_MS);
    document.addEventListener('visibilitychange', () => void this.refresh());
    this.#choose(this.#range);
  }

  draw(): void {
    for (const plot of this.#plots[this.#range.source]) plot.draw();
  }

  /** Looks whether something was done, by whomever, or has begun or ended. */
  statusIs({ verdict, status: { supervisor, workers, queue, headline } }: StatusEvent): void {
    this.#fold.flows(headline.state === 'flowing');
    this.#isRedisUp = queue.redis_up;
    const pids = workers.map(({ pid }) => pid);
    const seen = JSON.stringify([verdict.state, supervisor.last_reload?.at, queue.redis_up, queue.paused?.id, pids]);
    if (seen === this.#seen) return;
    const pauses = this.#seen === '' ? [0] : SOON_MS;
    this.#seen = seen;
    this.#soon.forEach(clearTimeout);
    this.#soon = pauses.map((pause) => setTimeout(() => void this.refresh(), pause));
  }

  /** While Redis is away nobody is asked: what is shown stays. */
  async refresh(): Promise<void> {
    if (!this.#isRedisUp || document.visibilityState !== 'visible') return;
    const mine = ++this.#asked;
    try {
      const history = await ask('history', this.#range.query);
      if (mine === this.#asked) this.#show(history);
    } catch (error) {
      if (mine !== this.#asked) return;
      const why = error instanceof RefusedError ? printable(error.message, 300) : 'it could not be read';
      setText(byId('plots-note'), `The history is unknown: ${why}`);
    }
  }

  #choose(range: Range): void {
    this.#range = range;
    this.#past = NONE;
    if (this.#history) this.#show(this.#history);
    for (const [source, plots] of Object.entries(this.#plots)) {
      for (const { element } of plots) element.hidden = source !== range.source;
    }
    setAttribute(this.#place, 'data-source', range.source);
    this.#tellPoint(undefined);
    this.draw();
    void this.refresh();
  }

  #show(history: HistoryDocument): void {
    this.#history = history;
    const { query, source, seconds, name } = this.#range;
    const isAsAsked = history.days === query.days && history.by === query.by;
    this.#past = source === 'past' && isAsAsked ? pastColumns(history) : NONE;
    this.#marks = marksIn(history, Date.parse(history.at) - seconds * 1_000);
    setText(byId('plots-note'), NOTES[source]);
    showHappenings(this.#marks, history, name);
    this.draw();
  }

  #view(columns: () => Columns, range: View['range']): View {
    return {
      columns,
      range,
      marks: () => this.#marks,
      rangeName: () => this.#range.name,
      onPoint: (at) => this.#tellPoint(at),
    };
  }

  /** Up to the last sample: its clock is that of the supervisor's host. */
  #recentRange(): readonly [number, number] {
    const times = this.#samples.column('at');
    const last = times.at(-1) ?? 0;
    const kept = last - (times[0] ?? 0);
    return [last - Math.min(this.#range.seconds, Math.max(kept, SHORTEST_SPAN_S)), last];
  }

  #pastRange(): readonly [number, number] {
    const now = Date.parse(this.#history?.at ?? '') / 1_000 || Date.now() / 1_000;
    return [now - this.#range.seconds, now];
  }

  #tellPoint(at: number | undefined): void {
    const zone = `Times are of ${format.zone()}`;
    setText(byId('plots-time'), at === undefined ? zone : format.dateTime(new Date(at * 1_000).toISOString()));
  }
}

function chosen(): string | undefined {
  return document.querySelector<HTMLInputElement>('input[name="range"]:checked')?.value;
}

function rangeNamed(name: string | undefined): Range {
  const [first, standard = first] = RANGES;
  const range = RANGES.find((each) => each.name === name) ?? standard;
  if (!range) throw new Error('There is no range');
  return range;
}
