import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { load, problemsOf, workspace, type Given } from './workspace.js';

/** One setting in each layer, from the weakest to the strongest, each with its own value. */
const LAYERS: readonly { readonly name: string; readonly value: number; readonly given: Given }[] = [
  { name: 'default', value: 4, given: {} },
  { name: 'file', value: 11, given: { files: { 'config/config.yaml': 'worker: {concurrency: 11}' } } },
  { name: '.env', value: 12, given: { files: { '.env': 'WORKER_CONCURRENCY=12' } } },
  { name: 'environment', value: 13, given: { env: { WORKER_CONCURRENCY: '13' } } },
  { name: 'flag', value: 14, given: { flags: { concurrency: '14' } } },
];
const PAIRS = LAYERS.flatMap((weak, index) => LAYERS.slice(index + 1).map((strong) => ({ weak, strong })));

describe('precedence', () => {
  test.each(PAIRS)('$strong.name wins over $weak.name', ({ weak, strong }) => {
    const files = { ...weak.given.files, ...strong.given.files };
    expect(load({ ...weak.given, ...strong.given, files }).config.worker.concurrency).toBe(strong.value);
  });

  test('an empty flag, variable, line or key is not set', () => {
    const files = { '.env': 'WORKER_CONCURRENCY=\n', 'config.yaml': 'worker:\n  concurrency:\n  count: ""\nredis:\n' };
    const { config } = load({ flags: { concurrency: '' }, env: { WORKER_CONCURRENCY: '', REDIS_HOST: '' }, files });
    expect(config.worker).toMatchObject({ concurrency: 4, count: 3 });
    expect(config.redis.host).toBe('localhost');
  });

  test('an empty variable of the environment leaves the word to .env', () => {
    expect(load({ env: { REDIS_HOST: '' }, files: { '.env': 'REDIS_HOST=a' } }).config.redis.host).toBe('a');
  });
});

describe('.env', () => {
  test('is read with quotes, export, comments and a byte order mark, and leaves process.env alone', () => {
    const text = '\uFEFFREDIS_HOST=a # where\nexport REDIS_PASSWORD="p#w d"\nOTHER_SERVICE=x\n';
    const { config, sources } = load({ files: { '.env': text } });
    expect(config.redis).toMatchObject({ host: 'a', password: 'p#w d' });
    expect(sources.envFile).toMatch(/\.env$/);
    expect(process.env).not.toHaveProperty('OTHER_SERVICE');
  });

  test('that cannot be read is a problem', () => {
    const cwd = workspace();
    mkdirSync(join(cwd, '.env'));
    expect(problemsOf({ cwd })).toEqual(['.env cannot be read (it is a directory).']);
  });
});

describe('the configuration file', () => {
  test('is config/config.yaml, else config.yaml', () => {
    const files = { 'config.yaml': 'redis: {host: second}', 'config/config.yaml': 'redis: {host: first}' };
    expect(load({ files }).config.redis.host).toBe('first');
    expect(load({ files: { 'config.yaml': files['config.yaml'] } }).config.redis.host).toBe('second');
  });

  test('is the one that --config, WORKER_CONFIG or .env names, in this order', () => {
    const cwd = workspace({
      'config.yaml': 'redis: {host: usual}',
      'flag.yaml': 'redis: {host: flag}',
      'env.yaml': 'redis: {host: env}',
      'dot.yaml': 'redis: {host: dot}',
      '.env': 'WORKER_CONFIG=dot.yaml',
    });
    const env = { WORKER_CONFIG: 'env.yaml' };
    expect(load({ cwd, env, argvConfig: join(cwd, 'flag.yaml') }).config.redis.host).toBe('flag');
    expect(load({ cwd, env }).config.redis.host).toBe('env');
    expect(load({ cwd }).config.redis.host).toBe('dot');
  });

  test('that is named and does not exist is a problem', () => {
    expect(problemsOf({ argvConfig: 'no.yaml' })).toEqual([
      '--config names no.yaml, which cannot be read (no such file); it must be a readable YAML file.',
    ]);
    expect(problemsOf({ env: { WORKER_CONFIG: 'no.yaml' } })[0]).toMatch(
      /^WORKER_CONFIG \(environment\) names no\.yaml/,
    );
  });

  test('takes numbers, booleans, strings and lists as YAML writes them', () => {
    const text = [
      'redis: {port: 6380, password: 0123, tls: on, sentinel_name: "x", sentinels: [a:1, b:2]}',
      "worker: {retry_interval: 0.5, max_attempts: '7'}",
      'metrics: {enabled: no}',
    ].join('\n');
    const { config } = load({ files: { 'config.yaml': text } });
    expect(config.redis).toMatchObject({ port: 6380, password: '0123', tls: true });
    expect(config.redis.sentinels).toEqual([
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ]);
    expect(config.worker).toMatchObject({ retryIntervalMs: 500, maxAttempts: 7 });
    expect(config.metrics.enabled).toBe(false);
  });
});

describe('variables in the file', () => {
  const passwordOf = (value: string, env: NodeJS.ProcessEnv = {}) =>
    load({ env, files: { 'config.yaml': `redis:\n  password: ${value}\n`, '.env': 'DOT=dot\nBOTH=dot' } }).config.redis
      .password;

  test.each([
    ['"${A}"', { A: 'x' }, 'x'],
    ['${A}', { A: 'x: #"y' }, 'x: #"y'],
    ['${DOT}${BOTH}', { BOTH: 'env' }, 'dotenv'],
    ['"${A:-fall back}"', {}, 'fall back'],
    ['"${A:-fall back}"', { A: '' }, 'fall back'],
    ['"${A:-}"', {}, ''],
    ['"a${NOT_SET}b"', {}, ''],
    ['"$${A}"', { A: 'x' }, '${A}'],
    ['"p$w$"', {}, 'p$w$'],
    ['"${A}"', { A: '${B}', B: 'not again' }, '${B}'],
  ])('%s with %j is %j', (value, env, expected) => {
    expect(passwordOf(value, env)).toBe(expected);
  });

  test('give values that pass the same formats', () => {
    const files = { 'config.yaml': 'worker:\n  count: ${N}\n' };
    expect(load({ env: { N: '5' }, files }).config.worker.count).toBe(5);
    expect(problemsOf({ env: { N: '5x' }, files })).toEqual([
      'worker.count (config.yaml, line 2) is "5x"; it must be a whole number from 1 to 512.',
    ]);
  });

  test('that are not written right are a problem', () => {
    expect(problemsOf({ files: { 'config.yaml': 'redis:\n  host: "${1X}"' } })).toEqual([
      'redis.host (config.yaml, line 2) has a ${ that begins no variable; it must be ${NAME}, or $$ for a plain $.',
    ]);
  });
});

describe('secrets in files', () => {
  const files = { 'pw.txt': 'from file \n', 'token.txt': 'a-token-of-20-letters\r\n' };

  test('are read through the environment and the configuration file, without the last newline', () => {
    const env = { REDIS_PASSWORD_FILE: 'pw.txt', SUPERVISOR_ADMIN_TOKEN_FILE: 'token.txt' };
    const { config } = load({ env, files });
    expect(config.redis.password).toBe('from file ');
    expect(config.supervisor.adminToken).toBe('a-token-of-20-letters');
    const yaml = { ...files, 'config.yaml': 'redis: {sentinel_password_file: pw.txt}' };
    expect(load({ files: yaml }).config.redis.sentinelPassword).toBe('from file ');
  });

  test('win and lose with the layer that names them', () => {
    const yaml = { ...files, 'config.yaml': 'redis: {password_file: pw.txt}' };
    expect(load({ env: { REDIS_PASSWORD: 'direct' }, files: yaml }).config.redis.password).toBe('direct');
    const direct = { ...files, 'config.yaml': 'redis: {password: direct}' };
    expect(load({ env: { REDIS_PASSWORD_FILE: 'pw.txt' }, files: direct }).config.redis.password).toBe('from file ');
  });

  test('are a problem when missing, empty or given twice', () => {
    expect(problemsOf({ env: { REDIS_PASSWORD_FILE: 'no.txt' } })).toEqual([
      'REDIS_PASSWORD_FILE (environment) names no.txt, which cannot be read (no such file).',
    ]);
    expect(problemsOf({ env: { REDIS_PASSWORD_FILE: 'e' }, files: { e: '\n' } })[0]).toMatch(/which is empty/);
    expect(problemsOf({ env: { REDIS_PASSWORD_FILE: 'pw.txt', REDIS_PASSWORD: 'x' }, files })).toEqual([
      'REDIS_PASSWORD (environment) and REDIS_PASSWORD_FILE are both set; it must be one of them.',
    ]);
  });
});

describe('the result', () => {
  test('is frozen all the way down and plain JSON', () => {
    const { config } = load({ env: { REDIS_CLUSTER_NODES: 'a:1' } });
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.redis)).toBe(true);
    expect(Object.isFrozen(config.redis.clusterNodes[0])).toBe(true);
  });

  test('keeps relative paths as they were given', () => {
    expect(load({ env: { WORKER_CERT_PATH: './c/w.crt' } }).config.tls).toMatchObject({
      certFile: './c/w.crt',
      caFile: 'certs/ca.crt',
    });
  });
});
