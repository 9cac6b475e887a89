/** The results as one SVG, for the README. */
import type { Curve } from '../measure/growth.js';
import type { Point } from '../measure/growth-points.js';
import type { Summary } from '../measure/summaries.js';
import { barChart, lineChart, short, text, type Frame } from './chart.js';
import type { Results } from './results.js';

const WIDTH = 880;
const MARGIN = 20;
const COLUMN = (WIDTH - 3 * MARGIN) / 2;
const ROW = 210;
const LEGEND = 40;
const COLOURS = ['#0969da', '#8c959f', '#d4a72c', '#57606a'];
const CURVE_COLOUR = '#1a7f37';

const SMALL = { width: (WIDTH - 5 * MARGIN) / 4, height: 150, heading: 22 };

type Draw = (frame: Omit<Frame, 'title'>) => string;

/** Two large charts a row, then one row of four small ones for each curve of growth. */
export function drawPicture(results: Results): string {
  const charts = [...throughputCharts(results), ...latencyCharts(results)];
  const drawn = charts.map((draw, place) =>
    draw({
      x: MARGIN + (place % 2) * (COLUMN + MARGIN),
      y: LEGEND + Math.floor(place / 2) * (ROW + MARGIN),
      width: COLUMN,
      height: ROW,
    }),
  );
  const growthFrom = LEGEND + Math.ceil(charts.length / 2) * (ROW + MARGIN);
  const rows = results.growth?.curves ?? [];
  const rowHeight = SMALL.heading + SMALL.height + MARGIN;
  const height = growthFrom + rows.length * rowHeight;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11" fill="#24292f">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    legend(results),
    ...drawn,
    ...rows.map((curve, row) => growthRow(curve, growthFrom + row * rowHeight)),
    '</svg>\n',
  ].join('\n');
}

function legend(results: Results): string {
  return contendersOf(results)
    .map((name, index) => {
      const x = MARGIN + index * 180;
      const square = `<rect x="${x}" y="10" width="12" height="12" fill="${COLOURS[index % COLOURS.length]}"/>`;
      return square + text({ x: x + 18, y: 20 }, name);
    })
    .join('\n');
}

/** In the order of the table: the product first. */
function contendersOf({ throughput }: Results): string[] {
  const names = throughput?.summaries.map(({ contender }) => contender) ?? [];
  const first = throughput?.ratios[0]?.of;
  return [...new Set(names)].sort((a, b) => Number(b === first) - Number(a === first));
}

function throughputCharts(results: Results): Draw[] {
  const { throughput } = results;
  if (!throughput) return [];
  const names = contendersOf(results);
  const chart =
    (title: string, pick: (summary: Summary) => Summary['cpuMicros']): Draw =>
    (frame) => {
      const concurrencies = [...new Set(throughput.summaries.map(({ concurrency }) => concurrency))];
      const groups = concurrencies.map((concurrency) => ({
        label: `concurrency ${concurrency}`,
        bars: names.flatMap((name, index) => {
          const found = throughput.summaries.find((s) => s.contender === name && s.concurrency === concurrency);
          if (!found) return [];
          const { min, median, max } = pick(found);
          return [{ value: median, range: [min, max] as const, colour: COLOURS[index % COLOURS.length] ?? '' }];
        }),
      }));
      return barChart({ ...frame, title }, groups);
    };
  return [
    chart('Messages per second', (summary) => summary.messagesPerSecond),
    chart('CPU per message, µs', (summary) => summary.cpuMicros),
  ];
}

function latencyCharts({ latency }: Results): Draw[] {
  if (!latency) return [];
  return [
    (frame) =>
      barChart(
        { ...frame, title: 'LPUSH to POST, ms: p50 and p99' },
        latency.loads.map(({ load, p50, p99 }) => ({
          label: load.replace(/ \(.*/, ''),
          bars: [
            { value: p50, colour: COLOURS[0] ?? '' },
            { value: p99, colour: COLOURS[1] ?? '' },
          ],
        })),
      ),
  ];
}

const QUANTITIES: readonly (readonly [title: string, pick: (point: Point) => number])[] = [
  ['Messages per second', (point) => point.messagesPerSecond],
  ['CPU per message, µs', (point) => point.cpuMicros],
  ['Memory of a worker, MB', (point) => point.workerBytes / 1e6],
  ['Memory of Redis, MB', (point) => point.redisBytes / 1e6],
];

function growthRow({ unit, points }: Curve, y: number): string {
  const { width, height, heading } = SMALL;
  const charts = QUANTITIES.map(([title, pick], column) => {
    const frame = { x: MARGIN + column * (width + MARGIN), y: y + heading, width, height, title };
    const line = points.map((point) => ({ label: short(point.x), value: pick(point) }));
    return lineChart(frame, line, CURVE_COLOUR);
  });
  return [text({ x: MARGIN, y: y + 12 }, `By ${unit}`, 'start', 'font-weight="600" font-size="13"'), ...charts].join(
    '\n',
  );
}
