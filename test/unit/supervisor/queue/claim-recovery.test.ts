import { expect, test } from 'vitest';

import { consumerName } from '../../../../src/queue/keys.js';
import { Burials } from '../../../../supervisor/queue/burials.js';
import { ClaimRecovery } from '../../../../supervisor/queue/claim-recovery.js';
import { testConfig } from '../../../support/program/config.js';
import { VirtualClock } from '../../../support/virtual-clock.js';
import { recordedLog } from '../recorded-log.js';
import { ScriptedAccess } from './scripted-access.js';

const NOBODY = 2 ** 22 + 1;

function recovery() {
  const clock = new VirtualClock();
  const access = new ScriptedAccess(clock);
  const log = recordedLog();
  const dead = { title: 'Worker worker-1', consumers: new Set(['one', 'two']), config: testConfig() };
  const burials = new Burials();
  const made = new ClaimRecovery({ access, settings: testConfig(), burials, log, clock });
  return { clock, access, log, dead, burials, made };
}

test('what a dead worker held under all its names is put back after half a second, and looked for again a second later', async () => {
  const { clock, access, log, dead, made } = recovery();
  access.held.set('two', 3);
  made.recoverDead(dead);
  await clock.advance(499);
  expect(access.recovered).toEqual([]);
  await clock.advance(1);
  expect(access.recovered).toEqual(['one at 500', 'two at 500']);
  access.held.set('one', 1);
  await clock.advance(1_000);
  expect(access.recovered.slice(2)).toEqual(['one at 1500', 'two at 1500']);
  expect(log.lines).toEqual([
    'WARNING: Worker worker-1: 3 of its messages are back in the queue',
    'WARNING: Worker worker-1: 1 of its messages are back in the queue',
  ]);
  expect(access.released).toEqual(['message_queue']);
});

test('a message that kills its processes waits half a second after each, for all that a supervisor does as it starts', async () => {
  const { clock, access, dead, made } = recovery();
  const child = consumerName('w', NOBODY, 'abc');
  made.start();
  await clock.advance(750);
  access.consumers = [child];
  made.recoverDead({ ...dead, consumers: new Set([child]) });
  await clock.advance(499);
  expect(access.recovered).toEqual([]);
  await clock.advance(1);
  expect(access.recovered).toEqual([`${child} at 1250`]);
  await made.stop();
});

test('what it buries is counted for the history, since no worker counts it', async () => {
  const { clock, access, dead, burials, made } = recovery();
  access.poisoned.set('one', 1);
  made.recoverDead(dead);
  await clock.advance(500);
  expect(burials.count).toBe(1);
  access.poisoned.set('two', 2);
  await clock.advance(1_000);
  expect(burials.count).toBe(3);
});

test('a stop ends the wait', async () => {
  const { clock, access, dead, made } = recovery();
  made.recoverDead(dead);
  await clock.advance(100);
  await made.stop();
  expect(access.recovered).toEqual(['one at 100', 'two at 100']);
  expect(clock.pending).toBe(0);
});

test('while Redis is away it is tried again, for a minute', async () => {
  const { clock, access, log, dead, made } = recovery();
  access.isUp = false;
  made.recoverDead(dead);
  await clock.advance(30_000);
  expect(log.lines).toEqual([]);
  access.isUp = true;
  await clock.advance(500);
  expect(access.recovered).toHaveLength(2);
  access.isUp = false;
  made.recoverDead(dead);
  await clock.advance(61_000);
  expect(log.lines.at(-1)).toMatch(/could not be put back yet \(it is away\); they come back when its lease is over/);
});

test('what cannot be recovered keeps nothing else from it: of a dead worker, and of an earlier supervisor', async () => {
  const { clock, access, log, dead, made } = recovery();
  const [bad, gone] = [consumerName('w', NOBODY, 'bad'), consumerName('w', NOBODY, 'abc')];
  access.refused.add('one').add(bad);
  access.held.set('two', 2);
  access.held.set(gone, 1);
  access.consumers = [bad, gone];
  made.recoverDead(dead);
  made.start();
  await clock.advance(1_000);
  expect(access.recovered.slice(0, 2)).toEqual([`${gone} at 0`, 'two at 500']);
  access.refused.clear();
  await clock.advance(2_000);
  expect(log.lines).toContain('WARNING: Worker worker-1: 2 of its messages are back in the queue');
  expect(access.recovered.join()).toContain('one at');
  await made.stop();
});

test('for 20 s consumers of this host whose process is gone are recovered', async () => {
  const { clock, access, log, made } = recovery();
  const [ours, gone] = [consumerName('w', process.pid, 'abc'), consumerName('w', NOBODY, 'abc')];
  made.start();
  access.consumers = [ours, 'w@elsewhere/x.1.abc'];
  await clock.advance(10_000);
  expect(access.recovered).toEqual([]);
  access.consumers = [ours, gone];
  access.held.set(gone, 2);
  await clock.advance(500);
  expect(log.lines).toEqual([
    `WARNING: A process of this host that is gone (${gone}): 2 of its messages are back in the queue`,
  ]);
  await clock.advance(20_000);
  expect(access.released).toEqual(['message_queue']);
});

test('a stop waits up to a second for what was found dead, and nothing begins after it', async () => {
  const { clock, access, dead, made } = recovery();
  access.isUp = false;
  made.recoverDead(dead);
  await clock.settle();
  let stopped = false;
  void made.stop().then(() => (stopped = true));
  await clock.advance(600);
  expect(stopped).toBe(false);
  access.isUp = true;
  await clock.advance(200);
  expect([stopped, access.recovered.length]).toEqual([true, 2]);
  made.recoverDead(dead);
  await clock.advance(2_000);
  expect(access.recovered).toHaveLength(2);
});

test('a stop does not wait for Redis longer than that, nor for what only might be found', async () => {
  const { clock, access, dead, made } = recovery();
  access.isUp = false;
  made.recoverDead(dead);
  const stopped = made.stop();
  await clock.advance(1_000);
  await stopped;
  const other = recovery();
  other.made.start();
  await other.clock.advance(5_000);
  await other.made.stop();
  expect(other.clock.pending).toBe(0);
});
