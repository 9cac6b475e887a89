/** The results as text for a terminal. */
import type { Curve } from '../measure/growth.js';
import type { Latency } from '../measure/latency.js';
import type { SelfTime } from '../measure/profile.js';
import type { Comparison, Ratio } from '../measure/ratios.js';
import type { Spread } from '../measure/statistics.js';
import type { Summary } from '../measure/summaries.js';

export function throughputTable(summaries: readonly Summary[]): string {
  const rows = summaries.map((one) => [
    String(one.concurrency),
    one.contender,
    spread(one.messagesPerSecond, whole),
    spread(one.cpuMicros, whole),
    megabytes(one.peakBytes),
    one.roundTrips.toFixed(2),
    one.redisMicros.toFixed(1),
  ]);
  const head = ['concurrency', 'contender', 'messages/s', 'CPU µs/message', 'peak MB', 'round trips', 'Redis CPU µs'];
  return table(head, rows);
}

export function ratioTable(ratios: readonly Ratio[]): string {
  const rows = ratios.map((one) => [
    String(one.concurrency),
    `${one.of} : ${one.to}`,
    spread(one.ratio, (ratio) => ratio.toFixed(2)),
    spread(one.cpuRatio, (ratio) => ratio.toFixed(2)),
  ]);
  return table(['concurrency', 'within one round', 'messages/s', 'messages per CPU second'], rows);
}

/** Every pair is shown: none is left out of the median either. */
export function comparisonTable(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ concurrency, pairs, median, verdict }) => [
    String(concurrency),
    pairs.map((pair) => pair.toFixed(2)).join(' '),
    median.toFixed(3),
    verdict,
  ]);
  const [first] = comparisons;
  const names = first ? `${first.of} : ${first.to}` : '';
  return table(['concurrency', `${names}, messages/s of each pair`, 'median', 'verdict'], rows);
}

export function latencyTable(loads: readonly Latency[]): string {
  const rows = loads.map(({ load, messages, p50, p99, max, ownPause }) => [
    load,
    String(messages),
    ...[p50, p99, max, ownPause ?? NaN].map((ms) => ms.toFixed(2)),
  ]);
  return table(['LPUSH to POST', 'messages', 'p50 ms', 'p99 ms', 'max ms', 'longest pause of producer or sink'], rows);
}

export function curveTable({ unit, points }: Curve): string {
  const rows = points.map((point) => [
    point.x.toLocaleString('en'),
    whole(point.messagesPerSecond),
    whole(point.cpuMicros),
    megabytes(point.workerBytes),
    megabytes(point.redisBytes),
  ]);
  return table([unit, 'messages/s', 'CPU µs/message', 'worker MB', 'Redis MB'], rows);
}

export function profileTable(times: readonly SelfTime[]): string {
  const rows = times.map(({ where, share }) => [`${(share * 100).toFixed(1)} %`, where]);
  return table(['self time', 'function'], rows);
}

/** Median, and in brackets the smallest and the largest. */
function spread({ min, median, max }: Spread, shown: (value: number) => string): string {
  return `${shown(median)} (${shown(min)}–${shown(max)})`;
}

function whole(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–';
}

function megabytes(bytes: number): string {
  return whole(bytes / 1e6);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
