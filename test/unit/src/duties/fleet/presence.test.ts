import { expect, test } from 'vitest';
import { readMember, type Presence } from '../../../../../src/domain/fleet/member.js';
import { createFleetPresence } from '../../../../../src/duties/fleet/presence.js';
import { recordedLog } from '../../../../support/recorded-log.js';
import { ScriptedFleet } from '../../../../support/redis/scripted-fleet.js';
import { VirtualClock } from '../../../../support/virtual-clock.js';

async function made() {
  const clock = new VirtualClock();
  const queue = new ScriptedFleet(clock);
  const log = recordedLog();
  const now: { -readonly [name in keyof Presence]: Presence[name] } = {
    ...{ kind: 'supervisor', pid: 7, version: '2', state: 'running', isReady: false, reason: 'none is at work' },
    ...{ workersReady: 1, workersWanted: 3, deliveredPerSecond: 4, failedPerSecond: 1, uptimeSeconds: 9 },
  };
  const heard: boolean[] = [];
  const duty = createFleetPresence({
    ...{ queue, writer: 's.1', clock, log },
    name: { host: 'host-a', instance: '9099' },
    presence: () => ({ ...now }),
    onSaid: async (wasTaken) => void heard.push(wasTaken),
  });
  const lastWord = () => {
    const { field, text } = queue.words.at(-1)!;
    return readMember(field, `0 w ${text}`);
  };
  return { clock, queue, log, now, heard, duty, lastWord };
}

async function started() {
  const all = await made();
  await all.duty.start();
  await all.clock.settle();
  return all;
}

test('it says every two seconds what it is, under one name, and at the end that it has stopped', async () => {
  const { clock, queue, now, duty, lastWord } = await started();
  expect(lastWord()).toMatchObject({ host: 'host-a', instance: '9099', workersReady: 1, reason: 'none is at work' });
  now.workersReady = 3;
  await clock.advance(4_000);
  expect(queue.words.map(({ hasSpoken, sweeps }) => [hasSpoken, sweeps])).toEqual([
    [false, true],
    [true, false],
    [true, false],
  ]);
  expect(queue.words[0]).toMatchObject({ field: 'host-a/9099', otherField: 'host-a/9099-7', writer: 's.1' });
  expect(lastWord()).toMatchObject({ workersReady: 3 });
  await duty.stop();
  await duty.stop();
  expect(queue.words).toHaveLength(4);
  expect(lastWord()).toMatchObject({
    ...{ state: 'stopped', isReady: false, reason: undefined, workersReady: 0, workersWanted: 3 },
    ...{ deliveredPerSecond: 0, failedPerSecond: 0 },
  });
});

test('it looks for those who are to be forgotten every ten minutes', async () => {
  const { clock, queue } = await started();
  await clock.advance(1_300_000);
  expect(queue.words.filter(({ sweeps }) => sweeps)).toHaveLength(3);
});

test('a refusal is said once, is nobody’s trouble, and ends by itself', async () => {
  const { clock, queue, log, heard, duty } = await started();
  queue.refusal = 'OOM command not allowed';
  await clock.advance(300_000);
  expect(log.count(/^WARNING What host-a\/9099 is cannot be said in Redis, .*deliveries go on: .*OOM/)).toBe(1);
  expect(duty.trouble).toBeUndefined();
  expect(heard.at(-1)).toBe(false);
  queue.refusal = undefined;
  await clock.advance(10_000);
  expect(log.count(/^INFO "fleet" shows this host again after 3\d\d s/)).toBe(1);
  expect(heard.at(-1)).toBe(true);
  queue.hasRoom = false;
  await clock.advance(20_000);
  expect(log.count(/^WARNING What host-a\/9099 is cannot be said in Redis/)).toBe(2);
});

test('while Redis is away nothing is said of it, and nobody waits for an end', async () => {
  const { clock, queue, log, duty } = await started();
  queue.isUp = false;
  await clock.advance(60_000);
  const stopped = duty.stop();
  await clock.settle();
  await stopped;
  expect(queue.words).toHaveLength(1);
  expect(log.count(/^(WARNING|ERROR)/)).toBe(0);
});

test('who has said nothing has no last word', async () => {
  const { queue, duty } = await made();
  await duty.stop();
  expect(queue.words).toEqual([]);
});
