/** The numbers of now. `data-value` has each as /status gives it. */
import type { StatusDocument } from '../../status/status-document.js';
import { make, setAttribute, setText } from './elements.js';
import * as format from './format.js';

interface Tile {
  readonly name: string;
  readonly label: string;
  readonly value: (status: StatusDocument) => number | null;
  readonly text: (value: number | null) => string;
  readonly note: (status: StatusDocument) => string;
  /** Stands out. */
  readonly isBad?: (value: number) => boolean;
}

/** What holds the limit. */
const HELD_BY: Readonly<Record<string, string>> = {
  concurrency: 'WORKER_CONCURRENCY',
  demand: 'no more needed',
  server: 'the main server',
  fleet_cap: 'the fleet cap',
  rate: 'the rate',
  retry_after: 'a rest',
  breaker: 'breaker open',
};

const overZero = (value: number): boolean => value > 0;
/** Below this share of success something is against more than single messages. */
const POOR = 0.9;

/** In the order of the questions. */
const TILES: readonly Tile[] = [
  {
    name: 'arrived_per_second',
    label: 'Arriving /s',
    value: ({ queue }) => queue.arrivals.arrived_per_second,
    text: format.rate,
    note: ofQueue(() => 'on all hosts'),
  },
  {
    name: 'delivered_per_second',
    label: 'Delivered /s',
    value: ({ traffic }) => traffic.delivered_per_second,
    text: format.rate,
    note: ({ totals }) => `${format.count(totals.delivered)} in all`,
  },
  {
    name: 'success_share',
    label: 'Success',
    value: ({ traffic }) => successShare(traffic),
    text: (value) => (value === null ? format.UNKNOWN : format.share(value)),
    note: ({ traffic }) => successNote(traffic),
    isBad: (value) => value < POOR,
  },
  {
    name: 'waiting',
    label: 'Waiting',
    value: ({ queue }) => queue.waiting,
    text: format.count,
    note: ofQueue(({ queue }) => trendOf(queue.arrivals)),
  },
  {
    name: 'oldest_wait',
    label: 'Oldest waits',
    value: ({ queue }) => queue.oldest_wait_seconds,
    text: format.duration,
    note: ({ traffic }) => `95 % waited up to ${format.duration(traffic.queue_wait_seconds?.p95 ?? null)}`,
  },
  {
    name: 'retrying',
    label: 'Retry',
    value: ({ queue }) => queue.retrying,
    text: format.count,
    note: ofQueue(({ queue }) => nextDue(queue)),
  },
  {
    name: 'dead',
    label: 'Dead',
    value: ({ queue }) => queue.dead,
    text: format.count,
    note: ofQueue(() => 'wait for a decision'),
    isBad: overZero,
  },
  {
    name: 'processing',
    label: 'In flight',
    value: ({ workers }) => sum(workers.map(({ processing }) => processing)),
    text: format.count,
    note: ({ workers }) => limitNote(workers),
  },
  {
    name: 'delivery_p95',
    label: 'Delivery time, 95 %',
    value: ({ traffic }) => traffic.delivery_seconds?.p95 ?? null,
    text: format.duration,
    note: ({ traffic }) => `median ${format.duration(traffic.delivery_seconds?.p50 ?? null)}`,
  },
  {
    name: 'failed_per_second',
    label: 'Failed /s',
    value: ({ traffic }) => traffic.failed_per_second,
    text: format.rate,
    note: ({ totals }) => `${format.count(totals.failed)} in all`,
    isBad: overZero,
  },
];

/** What only Redis knows is not nothing while it is away. */
function ofQueue(note: Tile['note']): Tile['note'] {
  return (status) => (status.queue.redis_up ? note(status) : 'unknown without Redis');
}

function successShare({ delivered, failed }: StatusDocument['traffic']): number | null {
  return delivered + failed === 0 ? null : delivered / (delivered + failed);
}

function successNote({ delivered, failed, window_seconds: seconds }: StatusDocument['traffic']): string {
  if (delivered + failed === 0) return seconds === 0 ? 'no attempt yet' : `no attempt in ${seconds} s`;
  return failed === 0 ? `all in ${seconds} s` : `${format.count(failed)} failed in ${seconds} s`;
}

function trendOf({ trend, caught_up_in_seconds: seconds }: StatusDocument['queue']['arrivals']): string {
  if (trend === 'growing') return 'it grows';
  if (trend === 'level') return 'as much comes as leaves';
  return seconds === null ? 'in the queue' : `caught up in about ${format.longDuration(seconds)}`;
}

function nextDue({ retrying, retry_due_in_seconds: seconds }: StatusDocument['queue']): string {
  if (retrying === 0) return 'none waits for its time';
  return seconds === null ? 'due again later' : `next due in ${format.duration(seconds)}`;
}

/** Of how many on this host, and what holds most of them. */
function limitNote(workers: StatusDocument['workers']): string {
  const limits = workers.map(({ concurrency_limit: limit }) => limit).filter((limit) => limit !== null);
  if (limits.length === 0) return 'limit not known yet';
  const counts = new Map<string, number>();
  for (const { limited_by: by } of workers) if (by !== null) counts.set(by, (counts.get(by) ?? 0) + 1);
  const [most] = [...counts].sort(([, one], [, next]) => next - one);
  return `of ${format.count(sum(limits))}: ${HELD_BY[most?.[0] ?? ''] ?? 'unknown'}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function createTiles(place: HTMLElement): (status: StatusDocument) => void {
  const tiles = TILES.map((tile) => {
    const value = make('dd', { class: 'value', 'data-testid': `tile-${tile.name}` });
    const note = make('dd', { class: 'note' });
    const element = make('div', { class: 'tile' }, make('dt', {}, tile.label), value, note);
    place.append(element);
    return { tile, element, value, note };
  });
  return (status) => {
    for (const { tile, element, value, note } of tiles) {
      const now = tile.value(status);
      setText(value, tile.text(now));
      setAttribute(value, 'data-value', String(now));
      setText(note, tile.note(status));
      element.classList.toggle('is-bad', now !== null && (tile.isBad?.(now) ?? false));
    }
  };
}
