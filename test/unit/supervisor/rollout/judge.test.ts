import { expect, test } from 'vitest';

import { judge } from '../../../../supervisor/rollout/judge.js';
import { testConfig } from '../../../support/program/config.js';

const before = testConfig();

test('what only a restart can change is said and kept as it is, the rest is taken', () => {
  const after = testConfig({
    supervisor: { host: '0.0.0.0', port: 7, runtimeDir: '/run/other', adminToken: 'new' },
    logging: {
      format: 'json',
      level: 'DEBUG',
      directory: '/var/log',
      fileName: 'w.log',
      retentionDays: 30,
      maxDayBytes: 2_000_000,
    },
    worker: { count: 5 },
  });
  const { config, remarks } = judge(before, after);
  expect(config).toEqual(
    testConfig({ supervisor: { adminToken: 'new' }, logging: { level: 'DEBUG' }, worker: { count: 5 } }),
  );
  expect(remarks).toEqual([
    'LOG_FILE_PATH changed to /var/log; it stays logs until the supervisor is restarted.',
    'LOG_FILE_NAME changed to w.log; it stays worker.log until the supervisor is restarted.',
    'LOG_FORMAT changed to json; it stays text until the supervisor is restarted.',
    'LOG_ROTATION_DAYS changed to 30; it stays 7 until the supervisor is restarted.',
    'LOG_MAX_SIZE changed to 1.907M; it stays 0 until the supervisor is restarted.',
    'SUPERVISOR_HOST changed to 0.0.0.0; it stays 127.0.0.1 until the supervisor is restarted.',
    'SUPERVISOR_PORT changed to 7; it stays 0 until the supervisor is restarted.',
    expect.stringMatching(/^SUPERVISOR_RUNTIME_DIR changed to \/run\/other; it stays .* until the supervisor/),
  ]);
});

test('a configuration that is the same is taken without a word', () => {
  expect(judge(before, testConfig())).toEqual({ config: before, remarks: [] });
});
