import { expect, test } from 'vitest';
import { countsOf, FleetWatch, type FleetLook } from '../../../../../src/domain/fleet/fleet-watch.js';
import type { Member } from '../../../../../src/domain/fleet/member.js';

const NOON = Date.UTC(2026, 10, 26, 12);

function member(host: string, saidAt: number, changes: Partial<Member> = {}): Member {
  return {
    ...{ host, instance: '9099', writer: `w.${host}`, saidAt, kind: 'supervisor', pid: 1, version: '2' },
    ...{ state: 'running', isReady: true, workersReady: 1, workersWanted: 1 },
    ...{ deliveredPerSecond: 0, failedPerSecond: 0, uptimeSeconds: 60 },
    ...changes,
  };
}

const lookAt = (redisNow: number, ...members: readonly Member[]): FleetLook => ({ redisNow, members });
const standings = (watch: FleetWatch, look: FleetLook, now: number, couldSpeak?: boolean) =>
  Object.fromEntries(watch.look(look, now, couldSpeak).members.map(({ host, standing }) => [host, standing]));

test('at a first look Redis’s clock says who has vanished', () => {
  const sight = new FleetWatch().look(
    lookAt(
      NOON,
      member('dead', NOON - 15_000),
      member('b', NOON - 14_999),
      member('older', NOON - 90_000),
      member('left', NOON - 3_600_000, { state: 'stopped' }),
      member('a', NOON + 5_000),
    ),
    77,
  );
  expect(sight.members.map(({ host, standing, silentMs }) => [host, standing, silentMs])).toEqual([
    ['a', 'alive', 0],
    ['b', 'alive', 14_999],
    ['dead', 'vanished', 15_000],
    ['older', 'vanished', 90_000],
    ['left', 'stopped', 3_600_000],
  ]);
  expect(countsOf(sight)).toEqual({ alive: 2, vanished: 2, stopped: 1 });
});

test('who says nothing while we look vanishes after 15 s, and is back with the next word', () => {
  const watch = new FleetWatch();
  for (let s = 0; s <= 14; s += 2) {
    const look = lookAt(NOON + s * 1_000, member('a', NOON + s * 1_000), member('b', NOON));
    expect(standings(watch, look, s * 1_000)).toEqual({ a: 'alive', b: 'alive' });
  }
  const gone = watch.look(lookAt(NOON + 16_000, member('a', NOON + 16_000), member('b', NOON)), 16_000);
  expect(gone.members[1]).toMatchObject({ host: 'b', standing: 'vanished', silentMs: 16_000 });
  expect(standings(watch, lookAt(NOON + 18_000, member('b', NOON + 17_500)), 18_000)).toEqual({ b: 'alive' });
});

test('a step of Redis’s clock makes nobody vanish, and keeps nobody alive', () => {
  const watch = new FleetWatch();
  watch.look(lookAt(NOON, member('a', NOON), member('dead', NOON)), 0);
  const hour = 3_600_000;
  expect(standings(watch, lookAt(NOON + hour, member('a', NOON), member('dead', NOON)), 2_000)).toEqual({
    a: 'alive',
    dead: 'alive',
  });
  const back = NOON - hour;
  for (const s of [4, 8, 12]) watch.look(lookAt(back, member('a', back + s), member('dead', NOON)), s * 1_000);
  expect(standings(watch, lookAt(back, member('a', back + 16), member('dead', NOON)), 16_000)).toEqual({
    a: 'alive',
    dead: 'vanished',
  });
});

test('time in which nobody could speak counts for nobody', () => {
  const watch = new FleetWatch();
  const silent = [member('a', NOON), member('b', NOON)];
  watch.look(lookAt(NOON, ...silent), 0);
  expect(standings(watch, lookAt(NOON + 120_000, ...silent), 120_000, false)).toEqual({ a: 'alive', b: 'alive' });
  expect(standings(watch, lookAt(NOON + 134_000, ...silent), 134_000)).toEqual({ a: 'alive', b: 'alive' });
  expect(standings(watch, lookAt(NOON + 136_000, ...silent), 136_000)).toEqual({ a: 'vanished', b: 'vanished' });
});

test('the same words of another process are a word', () => {
  const watch = new FleetWatch();
  watch.look(lookAt(NOON, member('a', NOON)), 0);
  watch.look(lookAt(NOON, member('a', NOON)), 14_000);
  const again = watch.look(lookAt(NOON, member('a', NOON, { writer: 'w.2' })), 20_000);
  expect(again.members[0]).toMatchObject({ standing: 'alive', silentMs: 0 });
});
