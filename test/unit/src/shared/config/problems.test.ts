import { describe, expect, test } from 'vitest';

import { ConfigError } from '../../../../../src/shared/errors.js';
import { load, problemsOf, type Given } from './workspace.js';

const yaml = (text: string): Given => ({ files: { 'config.yaml': text } });

describe('bad values', () => {
  test('are all reported at once, each with its source, its value and what would be right', () => {
    const given: Given = {
      flags: { concurrency: '12abc' },
      env: { REDIS_PORT: '0', SUPERVISOR_ADMIN_TOKEN: 'short-secret' },
      files: {
        '.env': 'MAIN_SERVER_URL=localhost:8000',
        'config.yaml': 'worker:\n  retry_interval: 0\n  cuncurrency: 4\nmetrics:\n  enabled: maybe\n',
      },
    };
    expect([...problemsOf(given)].sort()).toEqual([
      '--concurrency is "12abc"; it must be a whole number from 1 to 10000.',
      'MAIN_SERVER_URL (.env) is "localhost:8000"; it must be an address such as https://host:8000, without user name, query and fragment.',
      'REDIS_PORT (environment) is "0"; it must be a whole number from 1 to 65535.',
      'SUPERVISOR_ADMIN_TOKEN (environment) does not fit (its value is not shown here); it must be at least 16 characters, printable ASCII without blanks.',
      'config.yaml, line 3: worker.cuncurrency is no known key; did you mean worker.concurrency?',
      'metrics.enabled (config.yaml, line 5) is "maybe"; it must be true or false (also yes/no, on/off, 1/0).',
      'worker.retry_interval (config.yaml, line 2) is "0"; it must be a number of seconds from 0.001 to 604800.',
    ]);
  });

  test('end in a ConfigError with code E_CONFIG', () => {
    expect(() => load({ env: { REDIS_DB: 'x' } })).toThrow(ConfigError);
    expect(() => load({ env: { REDIS_DB: 'x' } })).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
  });

  test('that a stronger layer overrides do no harm', () => {
    expect(load({ env: { REDIS_PORT: '1' }, files: { '.env': 'REDIS_PORT=x' } }).config.redis.port).toBe(1);
  });

  test('from Kubernetes service links are explained', () => {
    expect(problemsOf({ env: { REDIS_PORT: 'tcp://10.0.0.1:6379' } })[0]).toMatch(
      /Service of that name; enableServiceLinks/,
    );
  });

  test('show no secret: in an address, in a misread file, in a secret itself', () => {
    const secret = 'hunter2';
    const cases: readonly Given[] = [
      { env: { MAIN_SERVER_URL: `https://user:${secret}@host` } },
      { env: { MAIN_SERVER_URL: `https://user:a/${secret}@host` } },
      { env: { MAIN_SERVER_URL: `https://host/?token=${secret}` } },
      { env: { REDIS_HOST: `redis://:${secret}@host:6379` } },
      { env: { REDIS_SENTINELS: `redis://:${secret}@host:6379` } },
      { env: { SUPERVISOR_ADMIN_TOKEN: secret } },
      yaml(`supervisor: {admin_token: ${secret}}`),
      yaml(`redis:\n  password: "abc"${secret}\n`),
      yaml(`redis:\n  password: *${secret}\n`),
      yaml(`redis:\n  password: !${secret} x\n`),
      yaml(`redis:\n  password: {${secret}\n`),
      yaml(`redis:\n  password: [${secret}]\n`),
      yaml(`redis:\n  password: "\${${secret}"\n`),
      yaml(`redis:\n  pasword: ${secret}\n`),
      yaml(`redis: ${secret}`),
      { env: { SUPERVISOR_ADMIN_TOKEN_FILE: 't' }, files: { t: secret } },
    ];
    for (const given of cases) {
      const problems = problemsOf(given);
      expect(problems, JSON.stringify(given)).not.toEqual([]);
      expect(problems.join('\n')).not.toContain(secret);
    }
  });
});

describe('a file that is not right', () => {
  test.each([
    ['redis:\n  host: a\n  host: b\n', 'config.yaml, line 3, is not valid YAML: Map keys must be unique.'],
    ['redis:\n  host: [a\n', /^config\.yaml, line \d, is not valid YAML: /],
    ['a: 1\n---\nb: 2\n', /^config\.yaml, line \d, is not valid YAML: /],
    ['- a\n- b\n', 'config.yaml, line 1: the file must hold keys with values.'],
    ['redis: localhost\n', 'config.yaml, line 1: redis must hold keys with values.'],
    ['redis:\n  host: {a: b}\n', 'redis.host (config.yaml, line 2) must be a single value.'],
    ['redis:\n  host: [a, b]\n', 'redis.host (config.yaml, line 2) must be a single value.'],
  ])('%j is a problem with its line', (text, expected) => {
    const [problem] = problemsOf(yaml(text));
    if (typeof expected === 'string') expect(problem).toBe(expected);
    else expect(problem).toMatch(expected);
  });

  test('an empty file and one of comments only are right', () => {
    expect(problemsOf(yaml(''))).toEqual([]);
    expect(problemsOf(yaml('# nothing\n'))).toEqual([]);
  });

  test.each([
    ['redis: {hots: a}', 'redis.hots is no known key; did you mean redis.host?'],
    ['concurrency: 4', 'concurrency is no known key; did you mean worker.concurrency?'],
    ['redis: {concurrency: 4}', 'redis.concurrency is no known key; did you mean worker.concurrency?'],
    ['mainserver: {url: a}', 'mainserver is no known key; did you mean main_server?'],
    ['something_else:', 'something_else is no known key; docs/settings.md lists all keys.'],
    ['__proto__: {polluted: 1}', '__proto__ is no known key; docs/settings.md lists all keys.'],
    ['worker: {constructor: 1}', 'worker.constructor is no known key; docs/settings.md lists all keys.'],
  ])('%s: %s', (text, expected) => {
    expect(problemsOf(yaml(text))).toEqual([`config.yaml, line 1: ${expected}`]);
  });

  test('aliases are followed, and lead nowhere in circles', () => {
    expect(load(yaml('redis: {host: &h a, sentinel_name: ""}\nsupervisor: {host: *h}')).config.supervisor.host).toBe(
      'a',
    );
    expect(problemsOf(yaml('redis: &r\n  host: *r\n'))).toEqual([
      'redis.host (config.yaml, line 2) must be a single value.',
    ]);
  });
});

describe('values that do not go together', () => {
  test.each([
    [{ REDIS_SENTINELS: 'a:1' }, /^REDIS_SENTINELS is set without REDIS_SENTINEL_NAME/],
    [{ REDIS_SENTINEL_NAME: 'x' }, /^REDIS_SENTINEL_NAME is set without REDIS_SENTINELS/],
    [{ REDIS_SENTINELS: 'a:1', REDIS_SENTINEL_NAME: 'x', REDIS_CLUSTER_NODES: 'b:1' }, /both set/],
    [
      { MAIN_SERVER_MAX_IN_FLIGHT: '10', WORKER_QUEUE_RELIABLE: 'false' },
      /^MAIN_SERVER_MAX_IN_FLIGHT is 10 and WORKER_QUEUE_RELIABLE is false; the cap needs it to be true/,
    ],
    [{ REDIS_CLUSTER_NODES: 'b:1', REDIS_DB: '2' }, /^REDIS_DB is 2; with REDIS_CLUSTER_NODES it must be 0/],
    [{ WORKER_METRICS_PORT: '65534' }, /need port 65536, it must be at most 65535/],
    [{ WORKER_METRICS_PORT: '9098' }, /^SUPERVISOR_PORT is 9099; it must be outside .* 9098 to 9100/],
    [{ SUPERVISOR_PORT: '9102' }, /^SUPERVISOR_PORT is 9102/],
    [{ SUPERVISOR_PORT: '9103' }, []],
    [{ WORKER_METRICS_PORT: '65533' }, []],
    [{ WORKER_METRICS_PORT: '9098', WORKER_METRICS_ENABLED: 'off' }, []],
  ] as const)('%j', (env, expected) => {
    const problems = problemsOf({ env });
    if (expected instanceof RegExp) {
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(expected);
    } else expect(problems).toEqual(expected);
  });

  test("a worker alone has one metrics port and no supervisor's", () => {
    expect(problemsOf({ env: { WORKER_METRICS_PORT: '9099' }, role: 'worker' })).toEqual([]);
  });
});

describe('warnings', () => {
  test.each([
    [{ MAIN_SERVER_URL: 'http://main_server:8000', MAIN_SERVER_VERIFY_SSL: 'false' }, /^MAIN_SERVER_URL is http:/],
    [{ MAIN_SERVER_VERIFY_SSL: 'false' }, /^MAIN_SERVER_VERIFY_SSL is false: /],
    [{ WORKER_QUEUE_RELIABLE: '0' }, /^WORKER_QUEUE_RELIABLE is false: /],
    [{ REDIS_TLS_CA_PATH: 'ca.crt' }, /^REDIS_TLS_CA_PATH is set and REDIS_TLS is false/],
    [{ WORKER_RETRY_INTERVAL_SECONDS: '5' }, /^WORKER_RETRY_INTERVAL_SECONDS \(environment\) has no effect/],
  ])('%j', (env, expected) => {
    const { warnings } = load({ env });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(expected);
  });
});
