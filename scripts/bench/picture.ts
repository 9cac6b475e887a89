/** The results as one SVG, for the README. */
import { barChart, lineChart, short, text, type Frame } from './chart.js';
import type { Curve, Point } from './growth.js';
import type { Results } from './results.js';
import type { Summary } from './throughput.js';

const WIDTH = 880;
const MARGIN = 20;
const COLUMN = (WIDTH - 3 * MARGIN) / 2;
const ROW = 210;
const LEGEND = 40;
const COLOURS = ['#0969da', '#8c959f', '#d4a72c', '#57606a'];
const CURVE_COLOUR = '#1a7f37';

type Draw = (frame: Omit<Frame, 'title'>) => string;

export function drawPicture(results: Results): string {
  const charts = [...throughputCharts(results), ...latencyCharts(results), ...growthCharts(results)];
  const drawn = charts.map((draw, place) =>
    draw({
      x: MARGIN + (place % 2) * (COLUMN + MARGIN),
      y: LEGEND + Math.floor(place / 2) * (ROW + MARGIN),
      width: COLUMN,
      height: ROW,
    }),
  );
  const height = LEGEND + Math.ceil(charts.length / 2) * (ROW + MARGIN);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11" fill="#24292f">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    legend(results),
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

function legend(results: Results): string {
  return contendersOf(results)
    .map((name, index) => {
      const x = MARGIN + index * 180;
      const square = `<rect x="${x}" y="10" width="12" height="12" fill="${COLOURS[index % COLOURS.length]}"/>`;
      return square + text(x + 18, 20, name);
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

function growthCharts({ growth }: Results): Draw[] {
  if (!growth) return [];
  const curve = (name: string, title: string, pick: (point: Point) => number): Draw[] =>
    growth.curves
      .filter((one) => one.name === name)
      .map((one: Curve) => (frame: Omit<Frame, 'title'>) => {
        const points = one.points.map((point) => ({ label: short(point.x), value: pick(point) }));
        return lineChart({ ...frame, title }, points, CURVE_COLOUR);
      });
  const cpu = (point: Point) => point.cpuMicros;
  return [
    ...curve('backlog', 'CPU per message, µs, by messages waiting', cpu),
    ...curve('backlog', 'Worker memory, MB, by messages waiting', (point) => point.workerBytes / 1e6),
    ...curve('backlog', 'Redis memory, MB, by messages waiting', (point) => point.redisBytes / 1e6),
    ...curve('retries', 'CPU per message, µs, by messages in retry (10k fall due in 1 s)', cpu),
    ...curve('workers', 'Messages per second by workers', (point) => point.messagesPerSecond),
    ...curve('size', 'CPU per message, µs, by bytes per message', cpu),
    ...curve('failures', 'CPU per attempt, µs, by % of deliveries that fail', cpu),
  ];
}
