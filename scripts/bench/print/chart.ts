/** The two kinds of plots of the picture, as SVG text. */
interface Place {
  readonly x: number;
  readonly y: number;
}

export interface Frame extends Place {
  readonly width: number;
  readonly height: number;
  readonly title: string;
}

interface Bar {
  readonly value: number;
  /** Smallest and largest, drawn as a line. */
  readonly range?: readonly [number, number];
  readonly colour: string;
}

interface BarGroup {
  readonly label: string;
  readonly bars: readonly Bar[];
}

interface LinePoint {
  readonly label: string;
  readonly value: number;
}

const LEFT = 52;
const TOP = 26;
const BOTTOM = 22;
const GRID_LINES = 4;

export function barChart(frame: Frame, groups: readonly BarGroup[]): string {
  const all = groups.flatMap(({ bars }) => bars.flatMap(({ value, range }) => [value, ...(range ?? [])]));
  const plot = plotOf(frame, all);
  const groupWidth = plot.width / groups.length;
  const drawn = groups.map(({ label, bars }, place) => {
    const from = plot.x + place * groupWidth;
    const width = (groupWidth * 0.8) / bars.length;
    const columns = bars.map((bar, index) => column(bar, from + groupWidth * 0.1 + index * width, width, plot));
    return [...columns, text({ x: from + groupWidth / 2, y: plot.bottom + 15 }, label, 'middle')].join('\n');
  });
  return [axes(frame, plot), ...drawn].join('\n');
}

export function lineChart(frame: Frame, points: readonly LinePoint[], colour: string): string {
  const plot = plotOf(
    frame,
    points.map(({ value }) => value),
  );
  const step = plot.width / points.length;
  const places = points.map(({ label, value }, index) => ({
    x: plot.x + (index + 0.5) * step,
    y: plot.heightOf(value),
    label,
    value,
  }));
  const path = places.map(({ x, y }) => `${round(x)},${round(y)}`).join(' ');
  const dots = places.map(({ x, y, label, value }) =>
    [
      `<circle cx="${round(x)}" cy="${round(y)}" r="3" fill="${colour}"/>`,
      text({ x, y: y - 8 }, short(value), 'middle'),
      text({ x, y: plot.bottom + 15 }, label, 'middle'),
    ].join(''),
  );
  return [
    axes(frame, plot),
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...dots,
  ].join('\n');
}

export function text(at: Place, words: string, anchor = 'start', style = ''): string {
  return `<text x="${round(at.x)}" y="${round(at.y)}" text-anchor="${anchor}"${style && ` ${style}`}>${escaped(words)}</text>`;
}

/** 12,345 as 12.3k. */
export function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

interface Plot {
  readonly x: number;
  readonly width: number;
  readonly bottom: number;
  readonly top: number;
  readonly heightOf: (value: number) => number;
}

function plotOf({ x, y, width, height }: Frame, values: readonly number[]): Plot & { readonly ceiling: number } {
  const ceiling = roundUp(Math.max(...values.filter(Number.isFinite), 0) * 1.1);
  const [top, bottom] = [y + TOP, y + height - BOTTOM];
  const heightOf = (value: number) => bottom - ((bottom - top) * value) / ceiling;
  return { x: x + LEFT, width: width - LEFT, bottom, top, ceiling, heightOf };
}

function axes({ x, y, title }: Frame, plot: Plot & { readonly ceiling: number }): string {
  const lines = Array.from({ length: GRID_LINES + 1 }, (_, index) => {
    const value = (plot.ceiling * index) / GRID_LINES;
    const at = round(plot.heightOf(value));
    return [
      `<line x1="${plot.x}" x2="${plot.x + plot.width}" y1="${at}" y2="${at}" stroke="#d8dee4"/>`,
      text({ x: plot.x - 6, y: at + 4 }, short(value), 'end'),
    ].join('');
  });
  return [text({ x, y: y + 12 }, title, 'start', 'font-weight="600"'), ...lines].join('\n');
}

function column({ value, range, colour }: Bar, x: number, width: number, plot: Plot): string {
  const top = plot.heightOf(value);
  const middle = round(x + width / 2);
  const whisker = range
    ? `<line x1="${middle}" x2="${middle}" y1="${round(plot.heightOf(range[0]))}" y2="${round(plot.heightOf(range[1]))}" stroke="#24292f"/>`
    : '';
  const [left, wide, high] = [round(x), round(width * 0.92), round(plot.bottom - top)];
  return `<rect x="${left}" y="${round(top)}" width="${wide}" height="${high}" fill="${colour}"/>${whisker}`;
}

/** To 1, 2, 4 or 8 times a power of ten, which four grid lines divide well. */
function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 4, 8, 10].find((one) => one * power >= value) ?? 10;
  return factor * power;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(words: string): string {
  return words.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
