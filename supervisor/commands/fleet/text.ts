/** The fleet as a table, pure. */
import { printable } from '../../../src/shared/words/escape.js';
import type { FleetDocument, FleetMemberDocument } from '../../admin/protocol.js';
import { duration } from '../kit/duration.js';
import { table } from '../kit/text-table.js';

const HEADINGS = [
  'HOST',
  'INSTANCE',
  'STATE',
  'WORKERS',
  'DELIVERED/S',
  'FAILED/S',
  'UP',
  'LAST SEEN',
  'PID',
  'VERSION',
  'WHY NOT READY',
];
const LEFT_ALIGNED = new Set([0, 1, 2, 9, 10]);
/** An id of a worker or a host is mostly shorter. */
const NAME_LENGTH = 64;

export function fleetLines(fleet: FleetDocument): string[] {
  const { members, alive, vanished, stopped } = fleet;
  const queue = `queue ${printable(fleet.queue, 100)}`;
  if (members.length === 0) {
    return [`${queue}: nobody says that it serves it. Python workers and version 1 never do.`];
  }
  const lines = [
    `${queue}: ${alive} alive, ${vanished} vanished, ${stopped} stopped`,
    '',
    ...table([HEADINGS, ...members.map(cells)], LEFT_ALIGNED),
  ];
  if (alive > 0 || vanished === 0) return lines;
  return [...lines, '', 'Not one is heard of: all of them died, or cannot reach Redis, or it takes no writes.'];
}

function cells(member: FleetMemberDocument): string[] {
  const { host, instance, workers_ready: ready, workers_wanted: wanted, reason, silent_seconds: silent } = member;
  const isGone = member.state === 'vanished' || member.state === 'stopped';
  const rate = (perSecond: number): string => (isGone ? '-' : perSecond.toFixed(1));
  return [
    printable(host, NAME_LENGTH),
    printable(instance, NAME_LENGTH),
    member.state === 'running' && !member.ready ? 'not ready' : member.state,
    isGone ? '-' : `${ready}/${wanted}`,
    rate(member.delivered_per_second),
    rate(member.failed_per_second),
    isGone ? '-' : duration(uptime(member)),
    `${duration(silent)} ago`,
    String(member.pid),
    printable(member.version, 20),
    isGone || member.ready || reason === null ? '' : printable(reason, 120),
  ];
}

function uptime({ started_at: from, last_seen_at: to }: FleetMemberDocument): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1_000);
}
