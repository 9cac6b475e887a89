import { describe, expect, test } from 'vitest';

import { ConfigError } from '../../../../src/shared/errors.js';
import { testConfig } from '../../../support/program/config.js';
import { VirtualPrimary } from '../virtual-primary.js';

const BY = { who: 'anna', where: 'web-1' };

describe('signals', () => {
  test('one more and one fewer change the number of workers, and one stays', async () => {
    const { receive, clock, pool, log } = await VirtualPrimary.ready({ count: 1 });
    receive('one-more');
    await clock.settle();
    expect(pool.target).toBe(2);
    receive('one-fewer');
    receive('one-fewer');
    await clock.settle();
    expect(pool.target).toBe(1);
    expect(log.lines).toContain('INFO: Number of workers: 1 → 2');
    expect(log.lines).toContain('WARNING: There is only one worker left; it stays.');
  });

  test('a dump is the status, line by line', async () => {
    const { receive, clock, log } = await VirtualPrimary.ready({ count: 2 });
    receive('dump');
    await clock.settle();
    expect(log.lines).toContain('INFO: Status: supervisor running for 2 s, 2 of 2 workers ready');
    expect(log.lines).toContainEqual(expect.stringMatching(/^INFO: Status: worker-2: pid 101, ready/));
  });

  test('a reload is one', async () => {
    const { receive, clock, reload } = await VirtualPrimary.ready({ count: 1 });
    receive('reload', 1);
    receive('reload', 1);
    await clock.advance(8_000);
    expect(reload.counts).toEqual({ ok: 1, failed: 0 });
  });
});

describe('the audit', () => {
  test('has who did what: by request and by signal, with what came of it', async () => {
    const primary = await VirtualPrimary.ready({ count: 1 });
    const { control, receive, clock, deeds } = primary;
    expect(control.scale(2, BY)).toBeUndefined();
    expect(control.scale(0, BY)).toMatch(/only one worker/);
    receive('reload', 1);
    await clock.advance(12_000);
    primary.read = () => {
      throw new ConfigError(['REDIS_HOST is empty']);
    };
    const failed = control.reload(BY);
    await clock.advance(3_000);
    expect(await failed).toMatchObject({ ok: false });
    const restarted = control.restart('worker-1', BY);
    await clock.advance(8_000);
    await restarted;
    control.stop(true, BY);
    await clock.advance(1_000);
    expect(deeds.map(({ action, who, detail }) => [action, who, detail])).toEqual([
      ['scale', 'anna', '1 → 2'],
      ['reload', 'signal SIGHUP', 'done'],
      ['reload', 'anna', expect.stringMatching(/^failed: .*REDIS_HOST is empty/)],
      ['restart', 'anna', 'worker-1'],
      ['stop', 'anna', undefined],
      ['stop', 'anna', 'at once'],
    ]);
  });
});

describe('scale', () => {
  test('says why not: none, no port, stopping', async () => {
    const primary = await VirtualPrimary.ready({ count: 1 });
    const { control, pool, clock, operations } = primary;
    expect(control.scale(0, BY)).toBe('There is only one worker left; it stays.');
    primary.read = () => testConfig({ metrics: { port: 65_535 } });
    operations.requestReload();
    await clock.advance(8_000);
    expect(control.scale(2, BY)).toBe('No more workers: 65536 is not a port for metrics.');
    control.stop(false, BY);
    expect(control.scale(1, BY)).toBe('The supervisor is stopping.');
    expect(pool.target).toBe(1);
  });

  test('takes the highest away', async () => {
    const { control, clock, readyPids } = await VirtualPrimary.ready({ count: 3 });
    expect(control.scale(1, BY)).toBeUndefined();
    await clock.advance(2_000);
    expect(readyPids()).toEqual([100]);
  });
});

describe('the number of workers', () => {
  test('has a limit, for a signal too', async () => {
    const { receive, clock, control, pool, log } = await VirtualPrimary.ready({ count: 1 });
    expect(control.scale(512, BY)).toBeUndefined();
    receive('one-more');
    await clock.settle();
    expect(pool.target).toBe(512);
    expect(log.lines).toContain('WARNING: No more workers: 512 are the most.');
  });

  test('never puts a worker on SUPERVISOR_PORT', async () => {
    const primary = await VirtualPrimary.ready({ count: 1 });
    const { control, operations, clock, pool } = primary;
    expect(control.scale(4, BY)).toBeUndefined();
    primary.read = () => testConfig({ worker: { count: 1 }, metrics: { port: 9_097 }, supervisor: { port: 0 } });
    primary.reload.run = async () => {
      pool.adopt(testConfig({ worker: { count: 1 }, metrics: { port: 9_097 }, supervisor: { port: 9_099 } }));
      return { at: '', ok: true, reason: undefined, remarks: [] };
    };
    await Promise.all([operations.reload(), clock.advance(2_000)]);
    expect(pool.target).toBe(1);
    expect(control.scale(2, BY)).toBeUndefined();
    expect(control.scale(3, BY)).toBe(
      'No more workers: the metrics port of worker-3 would be 9099, which is SUPERVISOR_PORT.',
    );
    expect(pool.target).toBe(2);
  });

  test.each([300, 900])('that is asked for %i ms before a reload begins outlives it', async (beforeMs) => {
    const primary = await VirtualPrimary.ready({ count: 3 });
    const { control, operations, clock, pool, readyPids } = primary;
    const reloaded = operations.reload();
    await clock.advance(1_000 - beforeMs);
    expect(control.scale(5, BY)).toBeUndefined();
    await clock.advance(15_000);
    expect((await reloaded).remarks).toEqual([
      'The number of workers stays 5, as it was scaled; WORKER_COUNT is still 3.',
    ]);
    expect([pool.target, readyPids().length]).toEqual([5, 5]);
  });

  test('is what WORKER_COUNT says when that has changed, and the answer says so', async () => {
    const { control, operations, clock, pool, reads } = await VirtualPrimary.ready({ count: 3 });
    control.scale(5, BY);
    reads({ count: 2 });
    const reloaded = operations.reload();
    await clock.advance(15_000);
    expect((await reloaded).remarks).toEqual(['WORKER_COUNT changed from 3 to 2: 5 workers → 2.']);
    expect(pool.target).toBe(2);
  });
});

describe('restart', () => {
  test('replaces the worker of that name', async () => {
    const { control, clock, readyPids } = await VirtualPrimary.ready({ count: 2 });
    const restarted = control.restart('worker-2', BY);
    await clock.advance(2_000);
    await restarted;
    expect(readyPids()).toEqual([100, 102]);
  });

  test('knows no other names, and nothing of it begins while we stop', async () => {
    const { control } = await VirtualPrimary.ready({ count: 2 });
    expect(control.restart('worker-3', BY)).toBeUndefined();
    control.stop(false, BY);
    await expect(control.restart('worker-1', BY)).rejects.toThrow('The supervisor is stopping.');
  });
});

describe('a request to stop', () => {
  test('that comes again changes nothing', async () => {
    const { control, children } = await VirtualPrimary.ready({ count: 1 });
    control.stop(false, BY);
    control.stop(false, BY);
    expect(children[0]?.told.at(-1)?.type).toBe('drain');
  });

  test('now hands back at once', async () => {
    const primary = await VirtualPrimary.ready({ count: 1 });
    primary.control.stop(true, BY);
    expect(primary.children[0]?.told.at(-1)?.type).toBe('kill');
    await primary.clock.advance(100);
    await primary.loop.ended;
    expect(primary.log.lines).toContain('WARNING: Received a request to stop now, ending at once');
    expect(primary.pool.exitCode).toBe(0);
  });
});
