import { afterEach, expect, test } from 'vitest';

import type { Deed } from '../../../../src/domain/audit/deed.js';
import { deadLetter, readDeadLetter } from '../../../../src/domain/dead-letters/dead-letter.js';
import { indexLine } from '../../../../src/domain/dead-letters/index-line.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import { systemClock } from '../../../../src/shared/time/clock.js';
import { DeadLetterExpiry } from '../../../../supervisor/queue/dead-letter-expiry.js';
import { QueueAccess } from '../../../../supervisor/queue/queue-access.js';
import { testConfig } from '../../../support/program/config.js';
import { expectNoLeftovers } from '../../../support/program/leftovers.js';
import { useRedis } from '../../../support/redis/redis.js';
import { waitFor } from '../../../support/wait-for.js';
import { recordedLog } from '../../../support/recorded-log.js';

expectNoLeftovers();
const redis = useRedis();
const keys = redisKeys('message_queue');
const DAY_MS = 86_400_000;

const stopping: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stopping.splice(0).toReversed()) await stop();
});

const settingsOf = (deadLetterDays: number) => testConfig({ redis: { port: redis.port }, queue: { deadLetterDays } });

function expiry(days: number, id = 'a') {
  const access = new QueueAccess({ clock: systemClock, random: Math.random });
  const log = recordedLog();
  const deeds: Deed[] = [];
  const audit = { note: async (deed: Deed) => void deeds.push(deed) };
  const part = new DeadLetterExpiry({ access, settings: settingsOf(days), id, audit, log, clock: systemClock });
  stopping.push(
    () => access.stop(),
    () => part.stop(),
  );
  return { part, log, deeds, deleted: () => deeds.reduce((sum, { count = 0 }) => sum + count, 0) };
}

interface Age {
  /** By the index, thus by Redis's clock. */
  readonly index: number;
  /** By its own word, thus by the worker's clock. */
  readonly own?: number;
}

/** @returns its line. */
async function bury(unique: string, { index, own = index }: Age, stored = letter(own)): Promise<string> {
  const line = indexLine(unique, readDeadLetter(stored));
  await redis.client.hset(keys.deadLetters, unique, stored);
  await redis.client.zadd(keys.deadIndex, systemClock.wallNow() - index * DAY_MS, line);
  return line;
}

function letter(days: number): Buffer {
  const about = { reason: 'malformed', error: '', attemptCount: 0, workerId: 'w' } as const;
  return deadLetter({ ...about, raw: Buffer.from('m'), deadAt: systemClock.wallNow() - days * DAY_MS });
}

const left = async () => (await redis.client.hkeys(keys.deadLetters)).sort();

test('what is older by the index and by its own word goes; it is said, and in the audit', async () => {
  await bury('old', { index: 8 });
  await bury('young', { index: 6 });
  await bury('buried-by-a-clock-behind', { index: 4_000, own: 1 });
  await bury('by-a-worker-behind', { index: 1, own: 4_000 });
  await bury('unreadable', { index: 9 }, Buffer.from('no envelope'));
  const told = await bury('being-told', { index: 9 });
  await redis.client.zadd(keys.untold, systemClock.wallNow() + 60_000.5, told);
  const { part, log, deeds } = expiry(7);
  part.start();
  await waitFor(() => deeds.length > 0, { what: 'what was deleted to be noted' });
  expect(deeds).toMatchObject([
    { action: 'expire', who: 'DEAD_LETTER_DAYS', count: 2, filter: { older_than_days: 7 } },
  ]);
  expect(log.lines).toEqual(['INFO Deleted 2 dead letters that were older than DEAD_LETTER_DAYS (7)']);
  expect(await left()).toEqual(['being-told', 'buried-by-a-clock-behind', 'by-a-worker-behind', 'young']);
  expect(await redis.client.zcard(keys.deadIndex)).toBe(4);
  expect(await redis.client.exists(keys.deadExpirer)).toBe(0);
});

test('of two supervisors one deletes, in steps, and the other comes when that one has died', async () => {
  for (let at = 0; at < 1_000; at++) await bury(`m${at}`, { index: 8 });
  const two = [expiry(7, 'a'), expiry(7, 'b')];
  for (const { part } of two) part.start();
  await waitFor(async () => (await redis.client.zcard(keys.deadIndex)) === 0, { what: 'all to be deleted' });
  await waitFor(() => two.some(({ deeds }) => deeds.length > 0), { what: 'it to be noted' });
  expect(two.reduce((sum, { deleted }) => sum + deleted(), 0)).toBe(1_000);
  await bury('next', { index: 8 });
  await redis.client.set(keys.deadExpirer, 'one that has died', 'PX', 60_000);
  const third = expiry(7, 'c');
  third.part.start();
  await waitFor(async () => /get/.test(await lastCommands()), { what: 'it to look who has the turn' });
  expect(await left()).toEqual(['next']);
  await redis.client.del(keys.deadExpirer);
  third.part.adopt(settingsOf(6));
  await waitFor(() => third.deleted() === 1, { what: 'the turn to be taken over' });
});

const lastCommands = () => redis.client.info('commandstats');

test('0 days keep them for ever, until a reload says otherwise', async () => {
  await bury('old', { index: 5_000 });
  const { part, deeds } = expiry(0);
  part.start();
  part.adopt(settingsOf(0));
  expect(await left()).toEqual(['old']);
  part.adopt(settingsOf(4_999));
  await waitFor(() => deeds.length === 1, { what: 'it to be deleted' });
  expect(await left()).toEqual([]);
});
