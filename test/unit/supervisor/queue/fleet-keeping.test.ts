import { expect, test } from 'vitest';
import { presenceText, type Presence } from '../../../../src/domain/fleet/member.js';
import { FleetKeeping } from '../../../../supervisor/queue/fleet-keeping.js';
import type { Borrowed, QueueSettings } from '../../../../supervisor/queue/queue-access.js';
import { testConfig } from '../../../support/program/config.js';
import { recordedLog } from '../../../support/recorded-log.js';
import { ScriptedFleet } from '../../../support/redis/scripted-fleet.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

const PRESENCE: Presence = {
  ...{ kind: 'supervisor', pid: 7, version: '2', state: 'running', isReady: true },
  ...{ workersReady: 2, workersWanted: 2, deliveredPerSecond: 0, failedPerSecond: 0, uptimeSeconds: 9 },
};
const queueNamed = (name: string): QueueSettings => testConfig({ queue: { name } });

async function started() {
  const clock = new VirtualClock();
  const fleets = new Map<string, ScriptedFleet>();
  const released: string[] = [];
  const fleetOf = (name: string): ScriptedFleet => {
    const fleet = fleets.get(name) ?? new ScriptedFleet(clock);
    fleets.set(name, fleet);
    return fleet;
  };
  const access = {
    borrow({ queue: { name } }: QueueSettings): Borrowed {
      const fleet = fleetOf(name);
      return {
        queue: { sayInFleet: (word) => fleet.sayInFleet(word), fleet: () => fleet.fleet() } as Borrowed['queue'],
        audit: { note: async () => undefined } as unknown as Borrowed['audit'],
        isReady: () => fleet.isReady(),
        whenReady: async () => undefined,
        evictionPolicy: async () => 'noeviction',
        release: async () => void released.push(name),
      };
    },
  };
  const log = recordedLog();
  const keeping = new FleetKeeping({
    ...{ access, settings: queueNamed('one'), id: 'supervisor.x', log, clock },
    name: { host: 'host-a', instance: '9099' },
    presence: () => PRESENCE,
  });
  keeping.start();
  await clock.settle();
  const standings = () =>
    Object.fromEntries((keeping.sight?.members ?? []).map(({ host, standing }) => [host, standing]));
  return { clock, log, keeping, fleetOf, released, standings };
}

const sayOther = (fleet: ScriptedFleet): void =>
  fleet.say('host-b\u001b/9099', 'supervisor.y.1', presenceText({ ...PRESENCE, pid: 8 }));

test('one that is heard of no more is said once, and so is its return', async () => {
  const { clock, log, fleetOf, standings } = await started();
  sayOther(fleetOf('one'));
  await clock.advance(2_000);
  expect(standings()).toEqual({ 'host-a': 'alive', 'host-b\u001b': 'alive' });
  await clock.advance(60_000);
  expect(standings()).toEqual({ 'host-a': 'alive', 'host-b\u001b': 'vanished' });
  const gone =
    /^WARNING host-b\\x1b\/9099 has not been heard of for 15 s: a supervisor \(pid 8\) of 2 workers died, or cannot reach Redis$/;
  expect(log.count(gone)).toBe(1);
  sayOther(fleetOf('one'));
  await clock.advance(2_000);
  expect(standings()).toEqual({ 'host-a': 'alive', 'host-b\u001b': 'alive' });
  expect(log.count(/^INFO host-b\\x1b\/9099 is heard of again$/)).toBe(1);
});

test('an outage, or a Redis that takes no writes, makes nobody vanish', async () => {
  const { clock, log, fleetOf, standings } = await started();
  const fleet = fleetOf('one');
  sayOther(fleet);
  await clock.advance(2_000);
  fleet.isUp = false;
  await clock.advance(120_000);
  fleet.isUp = true;
  await clock.advance(2_000);
  expect(standings()).toEqual({ 'host-a': 'alive', 'host-b\u001b': 'alive' });
  sayOther(fleet);
  fleet.refusal = 'OOM';
  await clock.advance(120_000);
  expect(standings()).toEqual({ 'host-a': 'alive', 'host-b\u001b': 'alive' });
  expect(log.count(/not been heard of/)).toBe(0);
});

test('nor do looks of those who watch meanwhile', async () => {
  const { clock, log, keeping, fleetOf, standings } = await started();
  const fleet = fleetOf('one');
  sayOther(fleet);
  fleet.refusal = 'OOM';
  for (let look = 0; look < 30; look += 1) {
    await clock.advance(4_000);
    await keeping.look();
  }
  expect(standings()).toEqual({ 'host-a': 'alive', 'host-b\u001b': 'alive' });
  fleet.refusal = undefined;
  await clock.advance(10_000);
  fleet.isUp = false;
  await clock.advance(60_000);
  fleet.isUp = true;
  await keeping.look();
  expect(standings()).toEqual({ 'host-a': 'alive', 'host-b\u001b': 'alive' });
  expect(log.count(/not been heard of/)).toBe(0);
});

test('whoever asks gets what is at most a second old, or learns that Redis is away', async () => {
  const { clock, keeping, fleetOf } = await started();
  const fleet = fleetOf('one');
  const before = fleet.looks;
  expect((await keeping.look()).members).toHaveLength(1);
  expect(fleet.looks).toBe(before);
  await clock.advance(1_500);
  sayOther(fleet);
  const [one, other] = await Promise.all([keeping.look(), keeping.look()]);
  expect([one?.members.length, other?.members.length]).toEqual([2, 2]);
  expect(fleet.looks).toBe(before + 1);
  fleet.isUp = false;
  await clock.advance(1_500);
  await expect(keeping.look()).rejects.toThrow('it is away');
});

test('what may not be read is not known', async () => {
  const { clock, keeping, fleetOf } = await started();
  fleetOf('one').mayRead = false;
  await clock.advance(2_000);
  expect(keeping.sight).toBeUndefined();
});

test('with another queue it has stopped in the former and is there in the new one', async () => {
  const { clock, keeping, fleetOf, released } = await started();
  await keeping.adopt(queueNamed('one'));
  expect(released).toEqual([]);
  await keeping.adopt(queueNamed('two'));
  await clock.settle();
  expect(released).toEqual(['one']);
  expect((await fleetOf('one').fleet()).members).toMatchObject([{ state: 'stopped', writer: 'supervisor.x.1' }]);
  expect((await fleetOf('two').fleet()).members).toMatchObject([{ state: 'running', writer: 'supervisor.x.2' }]);
  await keeping.stop();
  await keeping.stop();
  expect((await fleetOf('two').fleet()).members).toMatchObject([{ state: 'stopped' }]);
  expect(released).toEqual(['one', 'two', 'two']);
});
