/** Messages over HTTP: what anybody may see, and what needs the token. */
import { expect, test } from 'vitest';
import { redisKeys } from '../../src/queue/keys.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { accessOf, ROUTES } from '../../supervisor/admin/protocol.js';
import type { Answer } from '../../supervisor/admin/route.js';
import { messageRoutes } from '../../supervisor/admin/routes/messages.js';
import { testConfig } from '../support/program/config.js';
import { QUEUE } from '../support/redis/queue.js';
import { useRedis } from '../support/redis/redis.js';

const redis = useRedis();
const keys = redisKeys(QUEUE);

const ask = (path: string, fields: object, params: Record<string, string> = {}, isAbandoned = () => false) =>
  messageRoutes(
    () => testConfig({ redis: { port: redis.port } }),
    systemClock,
    () => Promise.resolve([]),
  )
    .find((route) => route.path === path)
    ?.answer({ params, fields: { ...fields }, isAbandoned, by: { who: '', where: '' } }) as Promise<Answer>;

const list = (fields: object, isAbandoned?: () => boolean) => ask(ROUTES.messages.path, fields, {}, isAbandoned);
const show = (id: string) => ask(ROUTES.message.path, {}, { id });

test('a list tells neither what messages say nor what was answered to them', async () => {
  await redis.client.lpush(QUEUE, '{"message_id":"a","body":"secret"}');
  await redis.client.zadd(
    keys.retry,
    Date.now() + 30_000,
    '0123456789ab1 b 30000:{"message_id":"b","attempt_count":1}',
  );
  const failure = { at: '2026-01-15T10:30:45.123Z', reason: 'http_503', status: 503, worker_id: 'w', answer: 'secret' };
  await redis.client.hset(keys.failures, 'b', JSON.stringify(failure));
  const { body } = await list({});
  expect(body).toMatchObject({
    schema_version: 1,
    total: 2,
    looked_at: 2,
    messages: [
      { place: 'retry', message_id: 'b', last_failure: { reason: 'http_503', status: 503 } },
      { place: 'waiting', message_id: 'a', number: 1 },
    ],
    next: null,
  });
  expect(JSON.stringify(body)).not.toContain('secret');
  expect((await list({ in: 'waiting', limit: 1 })).body).toMatchObject({ total: 1, messages: [{ message_id: 'a' }] });
  expect(accessOf(ROUTES.messages, { text: 'secret' })).toBe('admin');
  expect(accessOf(ROUTES.messages, { answer: 'secret' })).toBe('admin');
  expect((await show('b')).body).toMatchObject({ attempt_count: 1, failures: [{ answer: 'secret' }], places: [{}] });
  expect((await show('nobody')).body).toMatchObject({ places: [], attempt_count: null, failures: [] });
  expect(accessOf(ROUTES.message)).toBe('admin');
});

test('a list that nobody waits for ends at its next step, and says where it would go on', async () => {
  await redis.client.lpush(QUEUE, ...Array.from({ length: 3_000 }, (_, at) => `{"message_id":"m${at}"}`));
  const first = (await list({ id: 'm0', in: 'waiting' }, () => true)).body as { looked_at: number; next: string };
  expect(first).toMatchObject({ looked_at: 1_000, messages: [] });
  expect((await list({ id: 'm0', in: 'waiting', after: first.next })).body).toMatchObject({
    messages: [{ number: 1 }],
  });
});

test.each([{ in: 'nowhere' }, { limit: 0 }, { since: '2026-01-15' }, { places: 'dead' }])(
  'a list refuses %j',
  (fields) => {
    expect(() => list(fields)).toThrow();
  },
);
