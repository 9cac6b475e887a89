import { describe, expect, test } from 'vitest';

import { ConfigError } from '../../../../src/shared/errors.js';
import { configFor, VirtualPrimary } from '../virtual-primary.js';
import { testConfig } from '../../../support/program/config.js';

test('a configuration in good order goes into service, and the result is noted', async () => {
  const { clock, reload, pool, children, log, reads, adopted } = await VirtualPrimary.ready({ count: 2 });
  reads({ count: 3 });
  const running = reload.run();
  await clock.advance(10_000);
  expect(await running).toMatchObject({ ok: true, reason: undefined });
  expect(reload.last).toBe(await running);
  expect(reload.counts).toEqual({ ok: 1, failed: 0 });
  expect(pool.config).toEqual(configFor({ count: 3 }));
  expect(adopted).toEqual([pool.config]);
  expect(children).toHaveLength(5);
  expect(log.lines).toContain('INFO: Reload finished: all workers have the new configuration');
});

test('every problem of a bad configuration is said, and nothing is applied', async () => {
  const primary = await VirtualPrimary.ready({ count: 1 });
  const { reload, log, adopted, children, pool } = primary;
  primary.read = () => {
    throw new ConfigError(['One.', 'Two.']);
  };
  expect(await reload.run()).toMatchObject({ ok: false, reason: 'One. Two.' });
  expect(log.lines.slice(-2)).toEqual(['ERROR: Reload failed: One.', 'ERROR: Reload failed: Two.']);
  expect(reload.counts).toEqual({ ok: 0, failed: 1 });
  expect([adopted, children.length, pool.config]).toEqual([[], 1, configFor({ count: 1 })]);
});

test('what only a restart of the supervisor changes is a warning, and keeps its value', async () => {
  const primary = await VirtualPrimary.ready({ count: 1 });
  primary.read = () => testConfig({ supervisor: { port: 7, adminToken: 'new' } });
  const running = primary.reload.run();
  await primary.clock.advance(10_000);
  expect((await running).ok).toBe(true);
  expect(primary.log.lines).toContain(
    'WARNING: SUPERVISOR_PORT changed to 7; it stays 0 until the supervisor is restarted.',
  );
  expect(primary.adopted[0]?.supervisor).toMatchObject({ port: 0, adminToken: 'new' });
});

test('a canary that fails leaves the primary with the old configuration, too', async () => {
  const { clock, reload, reads, adopted } = await VirtualPrimary.ready({ count: 2 });
  reads({ count: 2, faults: 'dies-at-boot' });
  const running = reload.run();
  await clock.advance(10_000);
  expect((await running).reason).toContain('The old worker serves on.');
  expect(adopted).toEqual([]);
});

test('one that stops half-way has changed what restarts use, so the primary adopts it', async () => {
  const { clock, reload, reads, adopted, pool, child } = await VirtualPrimary.ready({ count: 2 });
  reads({ count: 2, faults: 'ignores-drain' });
  const running = reload.run();
  await clock.advance(5_300);
  expect(pool.config.queue.name).toBe('ignores-drain');
  child(103).dies('SIGKILL');
  await clock.settle();
  expect((await running).reason).toContain('still the old one.');
  expect(adopted).toEqual([pool.config]);
});

test('a part of the primary that cannot take it is the reason why the reload failed', async () => {
  const adopt = () => Promise.reject(new ConfigError(['REDIS_TLS_CA_PATH: it cannot be read.']));
  const { clock, reload } = await VirtualPrimary.ready({ count: 1 }, [{ adopt }]);
  const running = reload.run();
  await clock.advance(10_000);
  expect(await running).toMatchObject({ ok: false, reason: 'REDIS_TLS_CA_PATH: it cannot be read.' });
});

describe('when messages are taken from somewhere else', () => {
  test('and the old queue would be left with some, it is refused with what to do, and nothing changes', async () => {
    const primary = await VirtualPrimary.ready({ count: 1 });
    primary.oldQueue = {
      before: async () => ({ isOne: true, refusal: 'It still holds 3 messages.' }),
      after: () => Promise.reject(new Error('not to be asked')),
    };
    primary.reads({ count: 2, faults: 'elsewhere' });
    const running = primary.reload.run();
    await primary.clock.advance(10_000);
    expect(await running).toMatchObject({ ok: false, reason: 'It still holds 3 messages.' });
    expect([primary.children.length, primary.adopted]).toEqual([1, []]);
  });

  test('what came to lie there meanwhile is said when the last old process has ended', async () => {
    const primary = await VirtualPrimary.ready({ count: 2 });
    const asked: number[] = [];
    primary.oldQueue = {
      before: async () => ({ isOne: true, remark: '7 dead letters stay.' }),
      after: async () => {
        asked.push(primary.pool.processes.length);
        return '1 message was left.';
      },
    };
    primary.reads({ count: 2, faults: 'elsewhere' });
    const running = primary.reload.run();
    await primary.clock.advance(10_000);
    expect(await running).toMatchObject({ ok: true, remarks: ['7 dead letters stay.', '1 message was left.'] });
    expect(asked).toEqual([2]);
    expect(primary.log.lines).toContain('WARNING: 1 message was left.');
  });
});
