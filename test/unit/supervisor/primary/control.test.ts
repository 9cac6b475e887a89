import { describe, expect, test } from 'vitest';

import { testConfig } from '../../../support/program/config.js';
import { VirtualPrimary } from '../virtual-primary.js';

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
    await clock.advance(5_000);
    expect(reload.counts).toEqual({ ok: 1, failed: 0 });
  });
});

describe('scale', () => {
  test('says why not: none, no port, stopping', async () => {
    const primary = await VirtualPrimary.ready({ count: 1 });
    const { control, pool, clock, operations } = primary;
    expect(control.scale(0)).toBe('There is only one worker left; it stays.');
    primary.read = () => testConfig({ metrics: { port: 65_535 } });
    operations.requestReload();
    await clock.advance(5_000);
    expect(control.scale(2)).toBe('No more workers: 65536 is not a port for metrics.');
    control.stop(false);
    expect(control.scale(1)).toBe('The supervisor is stopping.');
    expect(pool.target).toBe(1);
  });

  test('takes the highest away', async () => {
    const { control, clock, readyPids } = await VirtualPrimary.ready({ count: 3 });
    expect(control.scale(1)).toBeUndefined();
    await clock.advance(2_000);
    expect(readyPids()).toEqual([100]);
  });
});

describe('restart', () => {
  test('replaces the worker of that name', async () => {
    const { control, clock, readyPids } = await VirtualPrimary.ready({ count: 2 });
    const restarted = control.restart('worker-2');
    await clock.advance(2_000);
    await restarted;
    expect(readyPids()).toEqual([100, 102]);
  });

  test('knows no other names, and nothing of it begins while we stop', async () => {
    const { control } = await VirtualPrimary.ready({ count: 2 });
    expect(control.restart('worker-3')).toBeUndefined();
    control.stop(false);
    await expect(control.restart('worker-1')).rejects.toThrow('The supervisor is stopping.');
  });
});

describe('a request to stop', () => {
  test('that comes again changes nothing', async () => {
    const { control, children } = await VirtualPrimary.ready({ count: 1 });
    control.stop(false);
    control.stop(false);
    expect(children[0]?.told.at(-1)?.type).toBe('drain');
  });

  test('now hands back at once', async () => {
    const primary = await VirtualPrimary.ready({ count: 1 });
    primary.control.stop(true);
    expect(primary.children[0]?.told.at(-1)?.type).toBe('kill');
    await primary.clock.advance(100);
    await primary.loop.ended;
    expect(primary.log.lines).toContain('WARNING: Received a request to stop now, ending at once');
    expect(primary.pool.exitCode).toBe(0);
  });
});
