import { describe, expect, test } from 'vitest';

import { load, problemsOf } from './workspace.js';

/** As the Python worker's README shows it. */
const FROM_README = `redis:
  host: "\${REDIS_HOST}"
  port: \${REDIS_PORT}
  queue_name: "message_queue"

worker:
  concurrency: \${WORKER_CONCURRENCY}
  retry_interval: \${WORKER_RETRY_INTERVAL}
  max_attempts: \${WORKER_MAX_ATTEMPTS}

tls:
  enabled: true
  cert_file: "certs/worker.crt"
  key_file: "certs/worker.key"
  ca_file: "certs/ca.crt"

metrics:
  enabled: true
  port: 9100
`;

/** Every key that the Python worker's file can hold. */
const EVERY_KEY = `redis: # trailing blanks and unquoted references are as operators have them
  host: "\${REDIS_HOST}"
  port: \${REDIS_PORT}
  db: \${REDIS_DB}
  password: "\${REDIS_PASSWORD}"
  queue_name: "message_queue"
  
main_server:
  url: "\${MAIN_SERVER_URL}"
  deliver_endpoint: "/internal/messages/deliver"
  timeout: 30
tls: {enabled: true, cert_file: "certs/worker.crt", key_file: "certs/worker.key", ca_file: "certs/ca.crt"}
worker:
  concurrency: \${WORKER_CONCURRENCY}
  retry_interval: \${WORKER_RETRY_INTERVAL}
  max_attempts: \${WORKER_MAX_ATTEMPTS}
  batch_size: 10
  poll_interval: 1
logging:
  level: "\${LOG_LEVEL}"
  file: "\${LOG_FILE_PATH}/worker.log"
  format: "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
  rotation: {when: "midnight", interval: 1, backup_count: 7}
metrics: {enabled: true, port: 9100}
`;

describe("the Python worker's config.yaml", () => {
  test.each([FROM_README, EVERY_KEY])('gives the defaults where no variable is set', (text) => {
    expect(load({ files: { 'config.yaml': text } }).config).toEqual(load({ files: { 'config.yaml': '' } }).config);
  });

  test('takes its variables', () => {
    const env = { REDIS_HOST: 'redis', REDIS_PORT: '6380', REDIS_DB: '2', LOG_FILE_PATH: 'logs/', LOG_LEVEL: 'debug' };
    const { config } = load({ env, files: { 'config.yaml': EVERY_KEY } });
    expect(config.redis).toMatchObject({ host: 'redis', port: 6380, db: 2 });
    expect(config.logging).toMatchObject({ level: 'DEBUG', directory: 'logs', fileName: 'worker.log' });
  });

  test('gives one warning that names the keys without meaning here', () => {
    expect(load({ files: { 'config.yaml': FROM_README } }).warnings).toEqual([]);
    expect(load({ files: { 'config.yaml': EVERY_KEY } }).warnings).toEqual([
      'config.yaml has keys without meaning here, which are ignored: worker.poll_interval, logging.format.',
    ]);
    const hourly = EVERY_KEY.replace('"midnight", interval: 1', '"H", interval: 6');
    expect(load({ files: { 'config.yaml': hourly } }).warnings).toEqual([
      'config.yaml has keys without meaning here, which are ignored: worker.poll_interval, logging.format, logging.rotation.when, logging.rotation.interval.',
    ]);
  });

  test.each([
    ['logs/worker.log', 'logs', 'worker.log'],
    ['/var/log/mb/w.log', '/var/log/mb', 'w.log'],
    ['w.log', '.', 'w.log'],
  ])('logging.file %s is directory %s and file %s', (file, directory, fileName) => {
    const { logging } = load({ files: { 'config.yaml': `logging: {file: ${file}}` } }).config;
    expect(logging).toMatchObject({ directory, fileName });
  });

  test('logging.file names a file, and does not stand beside logging.directory', () => {
    expect(problemsOf({ files: { 'config.yaml': 'logging: {file: logs/}' } })[0]).toMatch(/must be a file such as/);
    expect(problemsOf({ files: { 'config.yaml': 'logging: {file: a/b.log, directory: c}' } })).toEqual([
      'logging.file (config.yaml, line 1) and logging.directory (config.yaml, line 1) say the same thing; it must be one of them.',
    ]);
  });
});
