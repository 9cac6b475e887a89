import { systemClock } from '../../../../src/shared/time/clock.js';
import { expect, test } from 'vitest';
import { RedisConnection } from '../../../../src/queue/connection.js';
import { ConfigError } from '../../../../src/shared/errors.js';
import { testConfig } from '../../../support/config.js';

test('an authority of Redis that cannot be read is named with its setting', () => {
  const { redis } = testConfig({ redis: { tls: true, tlsCaFile: '/nowhere/redis-ca.crt' } });
  const connect = () => new RedisConnection({ redis, name: 'test', silenceMs: 1_000, clock: systemClock });
  expect(connect).toThrow(ConfigError);
  expect(connect).toThrow(/^REDIS_TLS_CA_PATH: \/nowhere\/redis-ca\.crt cannot be read/);
});
