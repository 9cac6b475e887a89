/** A row for each supervisor, or worker without one; under the state of one that is not ready stands why. */
import { make, setAttribute, setText } from '../elements.js';
import * as format from '../format.js';
import { printable } from '../../../../src/shared/words/escape.js';
import type { FleetMemberDocument } from '../../../admin/protocol.js';
import { createTable } from '../tables/table.js';

const COLUMNS = [
  { title: 'Host' },
  { title: 'Instance' },
  { title: 'State', kind: 'text' },
  { title: 'Workers', kind: 'number' },
  { title: 'Delivered /s', kind: 'number' },
  { title: 'Failed /s', kind: 'number' },
  { title: 'Up', kind: 'number' },
  { title: 'Last seen' },
  { title: 'Version' },
  { title: 'Pid', kind: 'number' },
] as const;

/** As the states of workers are coloured. */
const BADGES: { readonly [state in FleetMemberDocument['state']]: string } = {
  starting: 'starting',
  running: 'ready',
  reloading: 'ready',
  stopping: 'draining',
  stopped: 'draining',
  vanished: 'backoff',
};

export function createHostsTable(place: HTMLElement): (members: readonly FleetMemberDocument[]) => void {
  const table = createTable(place, {
    caption: 'Supervisors of all hosts on this queue, and workers without one',
    columns: COLUMNS,
    empty: 'Nobody says that it serves this queue.',
    testid: 'hosts-table',
  });
  return (members) =>
    table.show(
      members.map((member) => {
        const { host, instance, state } = member;
        const isGone = state === 'vanished' || state === 'stopped';
        return {
          key: `${host}/${instance}`,
          attributes: { 'data-testid': `host-${instance}`, 'data-state': state },
          cells: [
            printable(host, 64),
            printable(instance, 64),
            (cell) => fillState(cell, member),
            isGone ? format.UNKNOWN : `${member.workers_ready} of ${member.workers_wanted}`,
            isGone ? format.UNKNOWN : format.rate(member.delivered_per_second),
            isGone ? format.UNKNOWN : format.rate(member.failed_per_second),
            isGone ? format.UNKNOWN : format.longDuration(uptime(member)),
            (cell) => {
              setText(cell, `${format.longDuration(member.silent_seconds)} ago`);
              setAttribute(cell, 'title', format.dateTime(member.last_seen_at));
            },
            printable(member.version, 20),
            String(member.pid),
          ],
        };
      }),
    );
}

function fillState(cell: HTMLTableCellElement, { state, ready, reason }: FleetMemberDocument): void {
  const badge = cell.children[0] ?? cell.appendChild(make('span', { class: 'badge' }));
  const why = cell.children[1] ?? cell.appendChild(make('span', { class: 'why' }));
  const isIdle = state === 'running' && !ready;
  setText(badge, isIdle ? 'not ready' : state);
  setAttribute(badge, 'data-state', isIdle ? 'degraded' : BADGES[state]);
  setText(why, isIdle && reason !== null ? printable(reason, 200) : '');
}

function uptime({ started_at: from, last_seen_at: to }: FleetMemberDocument): number {
  return Math.max(0, Math.floor((Date.parse(to) - Date.parse(from)) / 1_000));
}
