import { describe, expect, test } from 'vitest';
import type { RedisConnection } from '../../../../../src/queue/connection/connection.js';
import { knowsBlmove, readEvictionPolicy, readFacts } from '../../../../../src/queue/connection/facts.js';
import { RedisUnavailableError, UnusableRedisError } from '../../../../../src/shared/errors.js';

const WHERE = 'redis.internal:6379';

/** Answers `reply` to everything, and notes what it was asked; `undefined` = refused. */
function answering(reply: string | readonly unknown[] | undefined | Error) {
  const asked: string[] = [];
  const connection: Pick<RedisConnection, 'callPermitted'> = {
    callPermitted: async (fallback, ...command) => {
      asked.push(command.join(' '));
      if (reply instanceof Error) throw reply;
      if (reply === undefined) return fallback;
      return typeof reply === 'string' ? Buffer.from(reply) : reply;
    },
  };
  return { asked, connection: connection as RedisConnection };
}

const info = (...lines: readonly string[]) => ['# Server', ...lines, ''].join('\r\n');

describe('what Redis is', () => {
  test.each([
    [info('redis_version:7.0.15', 'maxmemory_policy:noeviction'), { version: '7.0.15', evictionPolicy: 'noeviction' }],
    [info('redis_version:7.2.4', 'valkey_version:8.0.1'), { version: '7.2.4', evictionPolicy: '' }],
    [info('valkey_version:8.1.0', 'maxmemory_policy:allkeys-lru'), { version: '8.1.0', evictionPolicy: 'allkeys-lru' }],
    [info('redis_version:5.0.14.1'), { version: '5.0.14.1', evictionPolicy: '' }],
    [info('redis_version:10.0.0'), { version: '10.0.0', evictionPolicy: '' }],
    [info('some_service:1', 'monotonic_clock:redis_version:4.0'), { version: '', evictionPolicy: '' }],
  ])('is read from %j', async (text, facts) => {
    const { connection, asked } = answering(text);
    expect(await readFacts(connection, WHERE)).toEqual({ ...facts, tells: true });
    expect(asked).toEqual(['INFO']);
  });

  test('is not known where INFO is refused, and that is said', async () => {
    const { connection } = answering(undefined);
    expect(await readFacts(connection, WHERE)).toEqual({ version: '', evictionPolicy: '', tells: false });
  });

  test.each(['4.0.14', '3.2.100', '2.8.0'])('%s is too old, which names address and version', async (version) => {
    const { connection } = answering(info(`redis_version:${version}`));
    const asked = readFacts(connection, WHERE);
    await expect(asked).rejects.toBeInstanceOf(UnusableRedisError);
    await expect(asked).rejects.toThrow(`Redis at ${WHERE} is version ${version}; version 5.0 or newer is needed`);
  });

  test('a lost connection is handed on', async () => {
    const lost = new RedisUnavailableError('lost', true);
    await expect(readFacts(answering(lost).connection, WHERE)).rejects.toBe(lost);
    await expect(readEvictionPolicy(answering(lost).connection)).rejects.toBe(lost);
    await expect(knowsBlmove(answering(lost).connection)).rejects.toBe(lost);
  });
});

test('the eviction policy alone takes a part of INFO, and is undefined where Redis does not tell', async () => {
  const { connection, asked } = answering(info('maxmemory:0', 'maxmemory_policy:volatile-ttl'));
  expect(await readEvictionPolicy(connection)).toBe('volatile-ttl');
  expect(asked).toEqual(['INFO memory']);
  expect(await readEvictionPolicy(answering(info('maxmemory:0')).connection)).toBeUndefined();
  expect(await readEvictionPolicy(answering(undefined).connection)).toBeUndefined();
});

test.each([
  [[['blmove', 6, ['write']]], true],
  [[null], false],
  [[], false],
  [undefined, false],
])('COMMAND INFO answers %j: BLMOVE is known: %s', async (reply, known) => {
  expect(await knowsBlmove(answering(reply).connection)).toBe(known);
});
