/** Retry and cancel over HTTP, without the HTTP. */
import { expect, test } from 'vitest';
import { redisKeys } from '../../src/queue/keys.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { ROUTES, type RouteName } from '../../supervisor/admin/protocol.js';
import type { Answer } from '../../supervisor/admin/route.js';
import { messageActionRoutes } from '../../supervisor/admin/routes/message-actions.js';
import { testConfig } from '../support/program/config.js';
import { message, places, QUEUE } from '../support/redis/queue.js';
import { useRedis } from '../support/redis/redis.js';

const redis = useRedis();
const BY = { who: 'token', where: '127.0.0.1' };
const audited: unknown[] = [];

function ask(name: RouteName, fields: object, params = {}, isAbandoned = () => false): Promise<Answer> {
  const config = () => testConfig({ redis: { port: redis.port } });
  const audit = { note: async (deed: object) => void audited.push(deed) };
  const route = messageActionRoutes({ config, audit, clock: systemClock }).find(
    ({ path }) => path === ROUTES[name].path,
  );
  const request = { params, fields: { ...fields }, by: BY, isAbandoned };
  return Promise.resolve(route?.answer(request) as Promise<Answer>);
}

test('many, one, or none; what is meant is said by a dry run, and what was done is audited', async () => {
  await redis.client.lpush(QUEUE, message('a'), message('b'), message('c'));
  const due = Date.now() + 3_600_000;
  await redis.client.zadd(redisKeys(QUEUE).retry, due, `0123456789ab1 r 3700000:${message('r', 1)}`);
  await expect(ask('cancelMessages', {})).rejects.toThrow('This would cancel every message');
  await expect(ask('cancelMessages', { older_then_seconds: 1 })).rejects.toThrow('no field');
  const dry = await ask('cancelMessages', { all: true, dry_run: true });
  expect(dry.body).toMatchObject({ schema_version: 1, dry_run: true, matched: 4, done: 0 });
  expect((dry.body as { messages: unknown[] }).messages).toContainEqual({ place: 'waiting', message_id: 'a' });
  expect((await ask('retryMessages', { ids: ['r'] })).body).toMatchObject({ matched: 1, done: 1, due_later: 0 });
  expect((await ask('cancelMessage', {}, { id: 'b' })).body).toMatchObject({ matched: 1, done: 1 });
  await expect(ask('cancelMessage', {}, { id: 'b' })).rejects.toMatchObject({ status: 404 });
  await expect(ask('retryMessage', {}, { id: 'a' })).rejects.toThrow('waits for no retry');
  expect((await ask('cancelMessages', { all: true }, {}, () => true)).body).toMatchObject({ interrupted: true });
  expect((await ask('cancelMessages', { all: true })).body).toMatchObject({ interrupted: false });
  expect((await places(redis.client)).dead).toHaveLength(4);
  expect(audited).toContainEqual({ ...BY, action: 'cancel', filter: { ids: ['b'] }, count: 1 });
  const ended = audited.filter((deed) => (deed as { readonly detail?: string }).detail === 'interrupted');
  expect(ended).toMatchObject([{ ...BY, action: 'cancel', filter: {} }]);
});
