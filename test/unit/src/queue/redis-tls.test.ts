import { expect, test } from 'vitest';
import { RedisConnection } from '../../../../src/queue/connection/connection.js';
import { ConfigError } from '../../../../src/shared/errors.js';
import { testConfig } from '../../../support/program/config.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

test('an authority of Redis that cannot be read is named with its setting, when the connection starts', () => {
  const { redis } = testConfig({ redis: { tls: true, tlsCaFile: '/nowhere/redis-ca.crt' } });
  const clock = new VirtualClock();
  const connection = new RedisConnection({ redis, name: 'test', silenceMs: 1_000, clock, random: () => 0 });
  expect(() => connection.start()).toThrow(ConfigError);
  expect(() => connection.start()).toThrow(/^REDIS_TLS_CA_PATH: \/nowhere\/redis-ca\.crt cannot be read/);
});
