/** One row per worker; under the state of one that is not ready stands why. */
import type { WorkerStatus } from '../../../status/status-document.js';
import { make, setAttribute, setText } from '../elements.js';
import { printable } from '../../../../src/shared/words/escape.js';
import * as format from '../format.js';
import { createTable } from './table.js';

const COLUMNS = [
  { title: 'Worker' },
  { title: 'State', kind: 'text' },
  { title: 'Up', kind: 'number' },
  { title: 'CPU', kind: 'number' },
  { title: 'Memory', kind: 'number' },
  { title: 'Loop lag', kind: 'number' },
  { title: 'In flight', kind: 'number' },
  { title: 'Limit', kind: 'text' },
  { title: 'Delivered', kind: 'number' },
  { title: 'Failed', kind: 'number' },
  { title: 'Restarts', kind: 'number' },
  { title: 'Pid', kind: 'number' },
] as const;

export function createWorkersTable(place: HTMLElement): (workers: readonly WorkerStatus[]) => void {
  const table = createTable(place, {
    caption: 'Workers, their state and what they use',
    columns: COLUMNS,
    empty: 'There is no worker.',
    testid: 'workers',
  });
  return (workers) => {
    const whys = whysOf(workers);
    table.show(
      workers.map((worker) => ({
        key: worker.id,
        attributes: { 'data-testid': `worker-row-${worker.id}`, 'data-state': worker.state },
        cells: [
          printable(worker.id, 80),
          (cell) => fillState(cell, worker.state, whys.get(worker.id) ?? ''),
          format.longDuration(Math.floor(worker.uptime_seconds)),
          format.percent(worker.cpu_percent),
          format.bytes(worker.memory_bytes),
          format.duration(worker.event_loop_lag_seconds),
          format.count(worker.processing),
          limit(worker),
          format.count(worker.delivered),
          format.count(worker.failed),
          format.count(worker.restarts),
          worker.pid === null ? format.UNKNOWN : String(worker.pid),
        ],
      })),
    );
  };
}

/** What several have in common is said once. */
function whysOf(workers: readonly WorkerStatus[]): ReadonlyMap<string, string> {
  const first = new Map<string, string>();
  return new Map(
    workers.map(({ id, reasons }) => {
      const why = reasons.map((reason) => printable(reason, 300)).join('; ');
      const other = why === '' ? undefined : first.get(why);
      if (other === undefined) first.set(why, id);
      return [id, other === undefined ? why : `as ${printable(other, 80)}`];
    }),
  );
}

function fillState(cell: HTMLTableCellElement, state: WorkerStatus['state'], why: string): void {
  const badge = cell.children[0] ?? cell.appendChild(make('span', { class: 'badge' }));
  const reason = cell.children[1] ?? cell.appendChild(make('span', { class: 'why' }));
  setText(badge, state);
  setAttribute(badge, 'data-state', state);
  setText(reason, why);
}

/** How many it may have in flight, and what holds that. */
function limit({ concurrency_limit: most, limited_by: by }: WorkerStatus): string {
  return most === null ? format.UNKNOWN : `${most} (${printable((by ?? 'unknown').replaceAll('_', ' '), 20)})`;
}
