import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test.each([
  ['no certificate', 'nothing', /holds no certificate in PEM format/],
  [
    'joined files',
    '-----END CERTIFICATE----------BEGIN CERTIFICATE-----\n',
    /: line 1 holds a "-----BEGIN" or "-----END" marker/,
  ],
])('%s in place of an authority is told when the connection starts', (_, text, problem) => {
  const folder = mkdtempSync(join(tmpdir(), 'authority-'));
  try {
    const tlsCaFile = join(folder, 'ca.crt');
    writeFileSync(tlsCaFile, text);
    const { redis } = testConfig({ redis: { sentinels: [{ host: 'x', port: 1 }], sentinelTls: true, tlsCaFile } });
    const clock = new VirtualClock();
    const connection = new RedisConnection({ redis, name: 'test', silenceMs: 1_000, clock, random: () => 0 });
    expect(() => connection.start()).toThrow(problem);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
