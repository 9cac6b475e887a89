import { afterEach, describe, expect, test } from 'vitest';

import type { Config } from '../../../../src/shared/config/config.js';
import { systemClock } from '../../../../src/shared/time/clock.js';
import { QueueAccess } from '../../../../supervisor/queue/queue-access.js';
import { QueueMove } from '../../../../supervisor/queue/queue-move.js';
import { testConfig } from '../../../support/program/config.js';
import { useRedis } from '../../../support/redis/redis.js';

const redis = useRedis();
let access: QueueAccess | undefined;
afterEach(() => access?.stop());

const named = (name: string, how: Partial<Config['redis']> = {}): Config =>
  testConfig({ redis: { port: redis.port, ...how }, queue: { name } });

function moveOf(consumers: readonly string[] = []): QueueMove {
  access = new QueueAccess({ clock: systemClock, random: () => 0.5 });
  return new QueueMove({ access, consumers: () => consumers });
}

describe('a change of the place that messages are taken from', () => {
  test.each([
    { waiting: 0, retrying: 2 },
    { waiting: 3, retrying: 0 },
  ])('is refused while the old queue holds %o', async ({ waiting, retrying }) => {
    for (let at = 0; at < waiting; at++) await redis.client.lpush('old', String(at));
    for (let at = 0; at < retrying; at++) await redis.client.zadd('{old}:retry', 1, `${at} x:{}`);
    const { refusal, isOne } = await moveOf().before(named('old'), named('new'));
    expect(isOne).toBe(true);
    expect(refusal).toBe(
      `The queue old at 127.0.0.1:${redis.port} still holds ${retrying} messages to be tried again and ${waiting} that wait, which nobody would deliver after the change to the queue new at 127.0.0.1:${redis.port}. Wait until they are delivered ("message-broker-worker status" counts them) and reload again; to leave them there, stop the supervisor and start it.`,
    );
  });

  test('of another database, too', async () => {
    await redis.client.zadd('{old}:retry', 1, '1 x:{}');
    expect((await moveOf().before(named('old'), named('old', { db: 1 }))).refusal).toContain('1 messages');
  });

  test('is none when only the way there changed: password, or another name for the same Redis', async () => {
    await redis.client.zadd('{old}:retry', 1, '1 x:{}');
    await redis.client.zadd('{old}:consumers', 1, 'worker-1@host/ab.1.c');
    const move = moveOf(['worker-1@host/ab.1.c']);
    expect(await move.before(named('old'), named('old', { password: 'another' }))).toEqual({ isOne: false });
    expect(await move.before(named('old'), named('old', { host: 'localhost' }))).toEqual({ isOne: false });
  });

  test('of an empty queue is one, and what stays or cannot be known is said', async () => {
    await redis.client.lpush('{old}:dead', 'x', 'y');
    expect(await moveOf().before(named('old'), named('new'))).toEqual({
      isOne: true,
      remark: `2 dead letters stay in the queue old at 127.0.0.1:${redis.port}.`,
    });
    expect(await moveOf().before(named('old', { port: 1 }), named('old'))).toMatchObject({
      isOne: true,
      remark: 'What the queue old at 127.0.0.1:1 still holds is not known, since it cannot be reached.',
    });
  });

  test('that left something behind says so', async () => {
    const move = moveOf();
    expect(await move.after(named('old'))).toBeUndefined();
    await redis.client.zadd('{old}:retry', 1, '1 x:{}');
    expect(await move.after(named('old'))).toMatch(
      /^During the reload 1 messages to be tried again and 0 that wait came/,
    );
  });
});
