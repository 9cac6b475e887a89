/** Which plots there are: of the last half hour, as this supervisor has measured it, and of the past, as Redis keeps it for all hosts. */
import type { SampleField } from '../../../status/status-events.js';
import * as format from '../format.js';
import type { PastField } from './past.js';

type Ink = 'accent' | 'quiet' | 'bad';

export interface Line<Field extends string = string> {
  readonly field: Field;
  readonly label: string;
  readonly ink: Ink;
}

export interface Plan<Field extends string = string> {
  readonly title: string;
  /** Under the first it is filled. */
  readonly lines: readonly Line<Field>[];
  readonly value: (value: number | null) => string;
  readonly tick: (value: number) => string;
  /** The axis reaches at least this far: noise near zero must not look like mountains. */
  readonly least: number;
  /** Distances between ticks, where tens do not serve. */
  readonly increments?: number[];
}

const RATES = { title: 'Messages per second', value: format.rate, tick: format.short, least: 1 };
const TIMES = { value: format.duration, tick: format.duration, least: 0.01 };
const QUANTILES = { p95: { label: '95 %', ink: 'accent' }, p50: { label: 'median', ink: 'quiet' } } as const;

export const RECENT: readonly Plan<SampleField>[] = [
  {
    ...RATES,
    lines: [
      { field: 'delivered_per_second', label: 'delivered', ink: 'accent' },
      { field: 'failed_per_second', label: 'failed', ink: 'bad' },
    ],
  },
  {
    ...TIMES,
    title: 'Delivery time',
    lines: [
      { field: 'delivery_p95', ...QUANTILES.p95 },
      { field: 'delivery_p50', ...QUANTILES.p50 },
    ],
  },
  {
    ...TIMES,
    title: 'Queue wait',
    lines: [
      { field: 'wait_p95', ...QUANTILES.p95 },
      { field: 'wait_p50', ...QUANTILES.p50 },
    ],
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

export const PAST: readonly Plan<PastField>[] = [
  {
    ...RATES,
    lines: [
      { field: 'delivered_per_second', label: 'delivered', ink: 'accent' },
      { field: 'arrived_per_second', label: 'arrived', ink: 'quiet' },
      { field: 'failed_per_second', label: 'failed', ink: 'bad' },
    ],
  },
  {
    title: 'Messages waiting, at most',
    lines: [{ field: 'most_waiting', label: 'waiting', ink: 'accent' }],
    value: format.count,
    tick: format.short,
    least: 10,
  },
  {
    ...TIMES,
    title: 'Oldest wait',
    lines: [{ field: 'oldest_wait', label: 'oldest', ink: 'accent' }],
    least: 1,
  },
  {
    title: 'Retried and given up, per minute',
    lines: [
      { field: 'retried_per_minute', label: 'retried', ink: 'accent' },
      { field: 'buried_per_minute', label: 'dead', ink: 'bad' },
    ],
    value: format.rate,
    tick: format.short,
    least: 1,
  },
];
