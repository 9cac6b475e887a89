/** One plot: its legend, its canvas, and the same in words for those who see neither. */
import uPlot from 'uplot';
import { make, setAttribute, setText } from '../elements.js';
import * as format from '../format.js';
import type { Marks } from './marks.js';
import { drawBands, drawStrokes } from './marks-drawing.js';
import type { Columns } from './past.js';
import type { Plan } from './plans.js';

/** What all plots of a source show. */
export interface View {
  readonly columns: () => Columns;
  /** Seconds since the Unix epoch. */
  readonly range: (last: number) => readonly [number, number];
  readonly marks: () => Marks;
  /** `30 min`. */
  readonly rangeName: () => string;
  /** Where the pointer is, seconds since the Unix epoch; undefined = nowhere. */
  readonly onPoint: (at: number | undefined) => void;
}

const HEIGHT = 132;
const FONT = '11px system-ui, sans-serif';
const SHORT_DAY_S = 2 * 86_400;

export interface Plot {
  readonly element: HTMLElement;
  draw(): void;
}

export function createPlot(plan: Plan, view: View): Plot {
  const keys = plan.lines.map(({ label, ink: name }) => {
    const value = make('b');
    return { value, element: make('span', { class: `key ${name}` }, `${label} `, value) };
  });
  const canvas = make('div', { class: 'canvas', role: 'img' });
  const legend = make('p', { class: 'legend' }, ...keys.map(({ element }) => element));
  const element = make('figure', { class: 'plot panel' }, make('figcaption', {}, plan.title), legend, canvas);

  const tell = (index: number | null | undefined): void => {
    const columns = view.columns();
    const texts = plan.lines.map(({ field }) => plan.value(at(columns.column(field), index)));
    for (const [line, key] of keys.entries()) setText(key.value, texts[line] ?? '');
    if (index !== undefined && index !== null) return;
    const now = plan.lines.map(({ label }, line) => `${label} ${texts[line]}`).join(', ');
    setAttribute(
      canvas,
      'aria-label',
      `${plan.title}: now ${now}; in ${view.rangeName()} at most ${mostOf(plan, columns)}`,
    );
  };
  const plot = new uPlot(optionsOf(plan, view, tell), [[]], canvas);
  new ResizeObserver(() => {
    if (canvas.clientWidth > 0) plot.setSize({ width: canvas.clientWidth, height: HEIGHT });
  }).observe(canvas);
  return {
    element,
    draw() {
      const columns = view.columns();
      plot.setData(
        ['at', ...plan.lines.map(({ field }) => field)].map((field) => columns.column(field)) as uPlot.AlignedData,
      );
      if (plot.cursor.idx === null || plot.cursor.idx === undefined) tell(undefined);
    },
  };
}

function at(column: readonly (number | null)[], index: number | null | undefined): number | null {
  return column[index ?? column.length - 1] ?? null;
}

function mostOf({ lines, value }: Plan, columns: Columns): string {
  const most = lines.map(({ field, label }) => {
    const known = columns.column(field).filter((each) => each !== null);
    return `${label} ${value(known.length === 0 ? null : known.reduce((one, other) => Math.max(one, other)))}`;
  });
  return most.join(', ');
}

function optionsOf(plan: Plan, view: View, tell: (index: number | null | undefined) => void): uPlot.Options {
  const axis = { stroke: () => ink('muted'), font: FONT, ticks: { show: false }, gap: 4 };
  const grid = { stroke: () => ink('line'), width: 1 };
  return {
    width: 300,
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'time' }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
    scales: {
      x: { range: (_plot, _min, max) => [...view.range(max)] as [number, number] },
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
    series: [{}, ...plan.lines.map(seriesOf)],
    hooks: {
      drawClear: [(plot) => drawBands(plot, view.marks(), ink)],
      draw: [(plot) => drawStrokes(plot, view.marks(), ink)],
      setCursor: [
        ({ cursor, data }) => {
          tell(cursor.idx);
          view.onPoint(data[0][cursor.idx ?? -1]);
        },
      ],
    },
  };
}

function seriesOf(line: Plan['lines'][number], place: number): uPlot.Series {
  return {
    label: line.label,
    stroke: () => ink(line.ink),
    ...(place === 0 ? { fill: () => ink('accent-wash') } : {}),
    width: 1.5,
    // one alone between two gaps makes no line
    points: { show: true, size: 4, filter: ({ data }, series) => alone(data[series] ?? []) },
  };
}

function alone(column: ArrayLike<number | null | undefined>): number[] {
  const isKnown = (index: number): boolean => typeof column[index] === 'number';
  return Array.from({ length: column.length }, (_, index) => index).filter(
    (index) => isKnown(index) && !isKnown(index - 1) && !isKnown(index + 1),
  );
}

/** Blank where it would run into the numbers of the other axis, or out of the plot. Over days midnight is a date. */
function timeTicks({ scales }: uPlot, splits: readonly number[]): string[] {
  const { min, max } = scales['x'] ?? {};
  const [from, until] = [min ?? 0, max ?? 0];
  const [clear, end] = [from + (until - from) * 0.06, until - (until - from) * 0.03];
  return splits.map((seconds) => {
    if (seconds < clear || seconds > end) return '';
    const clock = format.clockTime(seconds * 1_000, seconds % 60 !== 0);
    return until - from > SHORT_DAY_S && clock === '00:00' ? format.dayAndMonth(seconds * 1_000) : clock;
  });
}

/** As the style sheet has it now, light or dark. */
function ink(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
