/** The plots over time. All share one buffer, one time axis and one cursor. */
import type uPlotType from 'uplot';
import type { SampleField } from '../../status/status-events.js';
import { make, setAttribute, setText } from './elements.js';
import * as format from './format.js';
import type { SampleBuffer } from './sample-buffer.js';

declare const uPlot: typeof uPlotType;

type Ink = 'accent' | 'quiet' | 'bad';

interface Line {
  readonly field: SampleField;
  readonly label: string;
  readonly ink: Ink;
}

interface Plan {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly value: (value: number | null) => string;
  readonly tick: (value: number) => string;
  /** The axis reaches at least this far: noise near zero must not look like mountains. */
  readonly least: number;
  /** Distances between ticks, where tens do not serve. */
  readonly increments?: number[];
}

const PLANS: readonly Plan[] = [
  {
    title: 'Messages per second',
    lines: [
      { field: 'delivered_per_second', label: 'delivered', ink: 'accent' },
      { field: 'failed_per_second', label: 'failed', ink: 'bad' },
    ],
    value: format.rate,
    tick: format.short,
    least: 1,
  },
  {
    title: 'Delivery time',
    lines: [
      { field: 'delivery_p95', label: '95 %', ink: 'accent' },
      { field: 'delivery_p50', label: 'median', ink: 'quiet' },
    ],
    value: format.duration,
    tick: format.duration,
    least: 0.01,
  },
  {
    title: 'Queue wait',
    lines: [
      { field: 'wait_p95', label: '95 %', ink: 'accent' },
      { field: 'wait_p50', label: 'median', ink: 'quiet' },
    ],
    value: format.duration,
    tick: format.duration,
    least: 0.01,
  },
  {
    title: 'Messages in Redis',
    lines: [
      { field: 'waiting', label: 'waiting', ink: 'accent' },
      { field: 'retrying', label: 'retry', ink: 'quiet' },
      { field: 'dead', label: 'dead', ink: 'bad' },
    ],
    value: format.count,
    tick: format.short,
    least: 10,
  },
  {
    title: 'CPU, 100 % = one core',
    lines: [{ field: 'cpu_percent', label: 'all', ink: 'accent' }],
    value: format.percent,
    tick: (value) => `${format.short(value)} %`,
    least: 10,
  },
  {
    title: 'Memory',
    lines: [{ field: 'memory_bytes', label: 'all', ink: 'accent' }],
    value: format.bytes,
    tick: format.bytes,
    least: 64 * 1_048_576,
    increments: Array.from({ length: 20 }, (_, power) => 2 ** power * 1_048_576),
  },
];

const HEIGHT = 132;
/** With less history than this the axis is not drawn out any further. */
const SHORTEST_SPAN_S = 120;
const FONT = '11px system-ui, sans-serif';

interface Plots {
  draw(): void;
  setMinutes(minutes: number): void;
}

export function createPlots(place: HTMLElement, samples: SampleBuffer): Plots {
  let minutes = 30;
  const span = (): number => {
    const times = samples.column('at');
    const kept = (times.at(-1) ?? 0) - (times[0] ?? 0);
    return Math.min(minutes * 60, Math.max(kept, SHORTEST_SPAN_S));
  };
  const plots = PLANS.map((plan) => createPlot(place, plan, samples, span));
  const draw = (): void => plots.forEach((plot) => plot.draw());
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  return {
    draw,
    setMinutes(wanted) {
      minutes = wanted;
      draw();
    },
  };
}

function createPlot(place: HTMLElement, plan: Plan, samples: SampleBuffer, span: () => number) {
  const keys = plan.lines.map(({ label, ink }) => {
    const value = make('b');
    return { value, element: make('span', { class: `key ${ink}` }, `${label} `, value) };
  });
  const canvas = make('div', { class: 'canvas', role: 'img' });
  const legend = make('p', { class: 'legend' }, ...keys.map(({ element }) => element));
  place.append(make('figure', { class: 'plot panel' }, make('figcaption', {}, plan.title), legend, canvas));

  const tell = (at: number | null | undefined): void => {
    const index = at ?? samples.length - 1;
    const texts = plan.lines.map(({ field }) => plan.value(samples.column(field)[index] ?? null));
    for (const [line, key] of keys.entries()) setText(key.value, texts[line] ?? '');
    if (at !== undefined && at !== null) return;
    const said = plan.lines.map(({ label }, line) => `${label} ${texts[line]}`).join(', ');
    setAttribute(canvas, 'aria-label', `${plan.title}: now ${said}`);
  };
  const plot = new uPlot(optionsOf(plan, span, tell), [[]], canvas);
  new ResizeObserver(() => plot.setSize({ width: canvas.clientWidth, height: HEIGHT })).observe(canvas);
  return {
    draw() {
      const columns = [samples.column('at'), ...plan.lines.map(({ field }) => samples.column(field))];
      plot.setData(columns as uPlotType.AlignedData);
      if (plot.cursor.idx === null || plot.cursor.idx === undefined) tell(undefined);
    },
  };
}

function optionsOf(plan: Plan, span: () => number, tell: (at: number | null | undefined) => void): uPlotType.Options {
  const axis = { stroke: () => ink('muted'), font: FONT, ticks: { show: false }, gap: 4 };
  const grid = { stroke: () => ink('line'), width: 1 };
  return {
    width: 300,
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'time' }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
    scales: {
      x: { range: (_plot, _min, max) => [max - span(), max] },
      y: { range: (_plot, _min, max) => [0, Math.max(plan.least, (max ?? 0) * 1.08)] },
    },
    axes: [
      { ...axis, size: 22, space: 64, grid: { show: false }, values: timeTicks },
      {
        ...axis,
        size: 52,
        space: 32,
        grid,
        ...(plan.increments ? { incrs: plan.increments } : {}),
        values: (_plot, splits) => splits.map((value) => plan.tick(value)),
      },
    ],
    series: [
      {},
      ...plan.lines.map((line, at) => ({
        label: line.label,
        stroke: () => ink(line.ink),
        ...(at === 0 ? { fill: () => ink('accent-wash') } : {}),
        width: 1.5,
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [(plot) => tell(plot.cursor.idx)] },
  };
}

/** The first stays blank where it would run into the numbers of the other axis. */
function timeTicks({ scales }: uPlotType, splits: readonly number[]): string[] {
  const { min = 0, max = 0 } = scales['x'] ?? {};
  const clear = (min ?? 0) + ((max ?? 0) - (min ?? 0)) * 0.06;
  return splits.map((seconds) => (seconds < clear ? '' : format.clockTime(seconds * 1_000, seconds % 60 !== 0)));
}

/** As the style sheet has it now, light or dark. */
function ink(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
