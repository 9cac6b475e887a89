import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import type { Config } from '../../../../../src/shared/config/config.js';
import type { Format } from '../../../../../src/shared/config/formats/format.js';
import { packageRoot } from '../../../../../src/shared/config/package-root.js';
import type { Setting } from '../../../../../src/shared/config/settings/setting.js';
import { SETTINGS } from '../../../../../src/shared/config/settings/settings.js';
import { configurationTable } from '../../../../support/program/configuration-table.js';
import { load } from './workspace.js';

/** The table of variables in the Python worker's README, and those of its compose file and .env template. */
const ORIGINAL_VARIABLES: readonly (readonly [string, string])[] = [
  ['REDIS_HOST', 'localhost'],
  ['REDIS_PORT', '6379'],
  ['REDIS_DB', '0'],
  ['REDIS_PASSWORD', ''],
  ['MAIN_SERVER_URL', 'https://localhost:8000'],
  ['MAIN_SERVER_VERIFY_SSL', 'true'],
  ['WORKER_ID', ''],
  ['WORKER_CONCURRENCY', '4'],
  ['WORKER_RETRY_INTERVAL', '30'],
  ['WORKER_MAX_ATTEMPTS', '10000'],
  ['WORKER_BATCH_SIZE', '10'],
  ['WORKER_METRICS_ENABLED', 'true'],
  ['WORKER_METRICS_PORT', '9100'],
  ['WORKER_CERT_PATH', 'certs/worker.crt'],
  ['WORKER_KEY_PATH', 'certs/worker.key'],
  ['CA_CERT_PATH', 'certs/ca.crt'],
  ['LOG_LEVEL', 'INFO'],
  ['LOG_FILE_PATH', 'logs'],
  ['LOG_ROTATION_DAYS', '7'],
  ['LOG_MAX_SIZE', '0'],
  ['LOG_MESSAGES', 'all'],
];

/** Its PowerShell parameters, with the variable each one stands for. */
const ORIGINAL_FLAGS: readonly (readonly [string, string])[] = [
  ['num-workers', 'WORKER_COUNT'],
  ['concurrency', 'WORKER_CONCURRENCY'],
  ['retry-interval', 'WORKER_RETRY_INTERVAL'],
  ['max-attempts', 'WORKER_MAX_ATTEMPTS'],
  ['log-level', 'LOG_LEVEL'],
  ['worker-id', 'WORKER_ID'],
];

const OUR_VARIABLES: readonly (readonly [string, string])[] = [
  ['REDIS_USERNAME', ''],
  ['REDIS_QUEUE_NAME', 'message_queue'],
  ['REDIS_TLS', 'false'],
  ['REDIS_TLS_CA_PATH', ''],
  ['REDIS_SENTINELS', ''],
  ['REDIS_SENTINEL_NAME', ''],
  ['REDIS_SENTINEL_PASSWORD', ''],
  ['REDIS_SENTINEL_TLS', 'false'],
  ['REDIS_CLUSTER_NODES', ''],
  ['WORKER_QUEUE_RELIABLE', 'true'],
  ['MAIN_SERVER_DELIVER_ENDPOINT', '/internal/messages/deliver'],
  ['MAIN_SERVER_HEALTH_ENDPOINT', '/health'],
  ['MAIN_SERVER_TIMEOUT', '30'],
  ['MAIN_SERVER_MAX_CONNECTION_AGE', '300'],
  ['MAIN_SERVER_MAX_IN_FLIGHT', '0'],
  ['MAIN_SERVER_MAX_RATE', '0'],
  ['MESSAGE_MAX_BYTES', '64M'],
  ['DEAD_LETTER_DAYS', '0'],
  ['FAILURE_ANSWERS', 'true'],
  ['REDIS_SIDE_BOOKS_MAX', '128M'],
  ['WORKER_NOT_FOUND_GRACE', '2'],
  ['TLS_ENABLED', 'true'],
  ['WORKER_ALLOW_INSECURE_KEY_MODE', 'false'],
  ['WORKER_CERT_CHECK_INTERVAL', '15'],
  ['WORKER_COUNT', '3'],
  ['WORKER_CONCURRENCY_CONTROL', 'adaptive'],
  ['WORKER_SHUTDOWN_TIMEOUT', '25'],
  ['WORKER_MAX_MEMORY', '0'],
  ['WORKER_METRICS_HOST', '0.0.0.0'],
  ['LOG_FILE_NAME', 'worker.log'],
  ['LOG_FORMAT', 'text'],
  ['SUPERVISOR_HOST', '127.0.0.1'],
  ['SUPERVISOR_PORT', '9099'],
  ['SUPERVISOR_RUNTIME_DIR', '/run/user/1000/message-broker-worker'],
  ['SUPERVISOR_ADMIN_TOKEN', ''],
];

/** The value of a setting as an operator would write it: seconds, not milliseconds. */
function written(setting: Setting, config: Config): string {
  const [section, key] = setting.target.split('.') as [keyof Config, string];
  const value = (config[section] as Readonly<Record<string, unknown>>)[key];
  return (setting.format as Format<unknown>).print(value);
}

describe('the settings', () => {
  test('have the names and defaults of the Python worker, and ours', () => {
    const { config } = load({ env: { XDG_RUNTIME_DIR: '/run/user/1000' } });
    const actual = SETTINGS.map((setting) => [setting.env, written(setting, config)]);
    expect(Object.fromEntries(actual)).toEqual(Object.fromEntries([...ORIGINAL_VARIABLES, ...OUR_VARIABLES]));
  });

  test.each(ORIGINAL_FLAGS)('--%s sets %s', (flag, env) => {
    expect(SETTINGS.find((setting) => setting.flag === flag)?.env).toBe(env);
  });

  test.each([
    [{ REDIS_TLS: 'true' }, true],
    [{ REDIS_TLS: 'true', REDIS_SENTINEL_TLS: 'no' }, false],
    [{ REDIS_SENTINEL_TLS: 'yes' }, true],
    [{}, false],
  ])('%j: TLS to the Sentinels is %s', (env, expected) => {
    expect(load({ env }).config.redis.sentinelTls).toBe(expected);
  });

  test('--base-metrics-port belongs to the supervisor and --metrics-port to a worker alone', () => {
    expect(load({ flags: { 'base-metrics-port': '9200' } }).config.metrics.port).toBe(9200);
    expect(load({ flags: { 'metrics-port': '9300' }, role: 'worker' }).config.metrics.port).toBe(9300);
  });

  test.each(['path', 'target', 'env'] as const)('no two share a %s', (key) => {
    const names = SETTINGS.map((setting) => setting[key]);
    expect(new Set(names).size).toBe(names.length);
  });

  test('without a runtime directory of the session, the default belongs to one user', () => {
    const { runtimeDir } = load({}).config.supervisor;
    expect(runtimeDir).toContain(`message-broker-worker-${process.getuid?.() ?? ''}`);
  });
});

describe('the documentation', () => {
  test('the table of docs/settings.md has one row for each setting', () => {
    const rows = configurationTable().trimEnd().split('\n');
    expect(rows).toHaveLength(SETTINGS.length + 3);
    expect(rows).toContain(
      '| `WORKER_RETRY_INTERVAL` | `30` seconds | `worker.retry_interval` | `--retry-interval` | Retry interval, fixed |',
    );
    for (const row of rows) expect(row.match(/\|/g)).toHaveLength(6);
  });

  test('the shipped config.yaml holds every key and gives exactly the defaults', () => {
    const shipped = readFileSync(join(packageRoot, 'config', 'config.yaml'), 'utf8');
    const fromShipped = load({ files: { 'config/config.yaml': shipped } });
    const fromNothing = load({ files: { 'config/config.yaml': '' } });
    expect(fromShipped.config).toEqual(fromNothing.config);
    expect(fromShipped.warnings).toEqual([]);
    for (const { path } of SETTINGS) expect(shipped).toMatch(new RegExp(`^\\s+${path.split('.').at(-1)}:`, 'm'));
  });

  test('the shipped config.yaml is read when the working directory has none', () => {
    expect(load({}).sources.configFile).toBe(join(packageRoot, 'config', 'config.yaml'));
  });
});
