import { VirtualClock } from '../../../support/virtual-clock.js';
import { expect, test } from 'vitest';

import type { Config } from '../../../../src/shared/config/config.js';
import { ConfigError } from '../../../../src/shared/errors.js';
import { needsRestart, Reloader } from '../../../../supervisor/rollout/reload.js';
import { testConfig } from '../../../support/config.js';

function reloader(read: () => Config): { reloader: Reloader; clock: VirtualClock; applied: Config[]; lines: string[] } {
  const clock = new VirtualClock();
  const applied: Config[] = [];
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(text);
  const made = new Reloader({
    read: () => ({ config: read(), sources: { configFile: undefined, envFile: undefined }, warnings: [] }),
    current: () => testConfig(),
    apply: async (config) => void applied.push(config),
    log: { debug: say, info: say, warn: say, error: say },
    clock,
  });
  return { reloader: made, clock, applied, lines };
}

test('requests within a second are one, begun when that second is over', async () => {
  const { reloader: reload, clock } = reloader(() => testConfig());
  reload.request();
  clock.pass(900);
  reload.request();
  expect(reload.dueInMs()).toBe(100);
  clock.pass(100);
  await reload.run();
  expect(reload.dueInMs()).toBe(Infinity);
  expect(reload.counts).toEqual({ ok: 1, failed: 0 });
});

test('every problem of a bad configuration is said, and nothing is applied', async () => {
  const {
    reloader: reload,
    applied,
    lines,
  } = reloader(() => {
    throw new ConfigError(['One.', 'Two.']);
  });
  await reload.run();
  expect(applied).toEqual([]);
  expect(lines).toContain('Reload failed: One.');
  expect(lines).toContain('Reload failed: Two.');
  expect(reload.last).toMatchObject({ ok: false, reason: 'One. Two.' });
});

test('what only a restart can change is said and kept as it is', async () => {
  const wanted = testConfig({
    supervisor: { port: 7, adminToken: 'new' },
    logging: { format: 'json', level: 'DEBUG' },
  });
  const { reloader: reload, applied, lines } = reloader(() => wanted);
  await reload.run();
  expect(needsRestart(testConfig(), wanted)).toEqual([
    'SUPERVISOR_PORT changed to 7; it stays 0 until the supervisor is restarted.',
    'LOG_FORMAT changed to json; it stays text until the supervisor is restarted.',
  ]);
  expect(lines).toEqual(expect.arrayContaining(needsRestart(testConfig(), wanted)));
  expect(applied[0]?.supervisor).toMatchObject({ port: 0, adminToken: 'new' });
  expect(applied[0]?.logging).toMatchObject({ format: 'text', level: 'DEBUG' });
});
