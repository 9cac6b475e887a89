import { expect, test } from 'vitest';
import type { FleetDocument, FleetMemberDocument } from '../../../../../supervisor/admin/protocol.js';
import { fleetLines } from '../../../../../supervisor/commands/fleet/text.js';

const MEMBER: FleetMemberDocument = {
  ...{ host: 'host-a', instance: '9099', kind: 'supervisor', state: 'running', ready: true, reason: null },
  ...{ pid: 4711, version: '2.0.0', workers_ready: 3, workers_wanted: 3 },
  ...{ delivered_per_second: 12.34, failed_per_second: 0, silent_seconds: 1 },
  ...{ started_at: '2026-11-26T10:00:00Z', last_seen_at: '2026-11-26T11:02:00Z' },
};

function fleetOf(...members: readonly Partial<FleetMemberDocument>[]): FleetDocument {
  const whole = members.map((member) => ({ ...MEMBER, ...member }));
  const count = (...states: readonly string[]) => whole.filter(({ state }) => states.includes(state)).length;
  const [vanished, stopped] = [count('vanished'), count('stopped')];
  const counts = { alive: whole.length - vanished - stopped, vanished, stopped };
  return { schema_version: 1, queue: 'q\u001b[31m', at: '2026-11-26T11:02:01Z', ...counts, members: whole };
}

test('a line for each, and nothing of who is gone that is no more', () => {
  const lines = fleetLines(
    fleetOf(
      {},
      { host: 'host-b\u202e', ready: false, reason: 'no worker\ntakes messages', workers_ready: 0 },
      { host: 'host-c', state: 'vanished', ready: false, reason: 'x', silent_seconds: 3_725 },
      { host: 'host-d', instance: 'worker-1', kind: 'worker', state: 'stopped', ready: false, silent_seconds: 61 },
    ),
  );
  expect(lines).toEqual([
    'queue q\\x1b[31m: 2 alive, 1 vanished, 1 stopped',
    '',
    'HOST          INSTANCE  STATE      WORKERS  DELIVERED/S  FAILED/S    UP  LAST SEEN   PID  VERSION  WHY NOT READY',
    'host-a        9099      running        3/3         12.3       0.0  1h2m     1s ago  4711  2.0.0',
    'host-b\\u202e  9099      not ready      0/3         12.3       0.0  1h2m     1s ago  4711  2.0.0    no worker\\x0atakes messages',
    'host-c        9099      vanished         -            -         -     -   1h2m ago  4711  2.0.0',
    'host-d        worker-1  stopped          -            -         -     -   1m1s ago  4711  2.0.0',
  ]);
});

test('where nobody says anything, that is no proof that nobody is there', () => {
  expect(fleetLines(fleetOf())).toEqual([
    'queue q\\x1b[31m: nobody says that it serves it. Python workers and version 1 never do.',
  ]);
});

test('where nobody is heard of, Redis may be why', () => {
  expect(fleetLines(fleetOf({ state: 'vanished' })).at(-1)).toMatch(/^Not one is heard of: .* it takes no writes\.$/);
});
