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

const overZero = (value: number): boolean => value > 0;

const TILES: readonly Tile[] = [
  {
    name: 'delivered_per_second',
    label: 'Delivered /s',
    value: ({ traffic }) => traffic.delivered_per_second,
    text: format.rate,
    note: ({ totals }) => `${format.count(totals.delivered)} in all`,
  },
  {
    name: 'arrived_per_second',
    label: 'Arriving /s',
    value: ({ queue }) => queue.arrivals.arrived_per_second,
    text: format.rate,
    note: ({ queue }) => trendOf(queue.arrivals),
  },
  {
    name: 'failed_per_second',
    label: 'Failed /s',
    value: ({ traffic }) => traffic.failed_per_second,
    text: format.rate,
    note: ({ totals }) => `${format.count(totals.failed)} in all`,
    isBad: overZero,
  },
  {
    name: 'delivery_p95',
    label: 'Delivery time, 95 %',
    value: ({ traffic }) => traffic.delivery_seconds?.p95 ?? null,
    text: format.duration,
    note: ({ traffic }) => `median ${format.duration(traffic.delivery_seconds?.p50 ?? null)}`,
  },
  {
    name: 'wait_p95',
    label: 'Queue wait, 95 %',
    value: ({ traffic }) => traffic.queue_wait_seconds?.p95 ?? null,
    text: format.duration,
    note: ({ traffic }) => `median ${format.duration(traffic.queue_wait_seconds?.p50 ?? null)}`,
  },
  {
    name: 'waiting',
    label: 'Waiting',
    value: ({ queue }) => queue.waiting,
    text: format.count,
    note: ({ queue }) =>
      queue.oldest_wait_seconds ? `the oldest for ${format.duration(queue.oldest_wait_seconds)}` : 'in the queue',
  },
  {
    name: 'processing',
    label: 'In flight',
    value: ({ queue }) => queue.processing,
    text: format.count,
    note: () => 'claimed, not settled',
  },
  {
    name: 'retrying',
    label: 'Retry',
    value: ({ queue }) => queue.retrying,
    text: format.count,
    note: () => 'due again later',
  },
  {
    name: 'dead',
    label: 'Dead',
    value: ({ queue }) => queue.dead,
    text: format.count,
    note: () => 'wait for a decision',
    isBad: overZero,
  },
];

function trendOf({ trend, caught_up_in_seconds: seconds }: StatusDocument['queue']['arrivals']): string {
  if (trend === 'growing') return 'what waits grows';
  if (trend === 'level') return 'as much as leaves';
  return seconds === null ? 'on all hosts' : `caught up in about ${format.longDuration(seconds)}`;
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
