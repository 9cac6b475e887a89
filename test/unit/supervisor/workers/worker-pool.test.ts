import { VirtualClock } from '../../../support/virtual-clock.js';
import { expect, test } from 'vitest';

import { WorkerPool } from '../../../../supervisor/workers/worker-pool.js';
import { testConfig } from '../../../support/program/config.js';
import { ScriptedChild } from './scripted-child.js';

function pool(count: number): { pool: WorkerPool; clock: VirtualClock; children: ScriptedChild[]; lines: string[] } {
  const clock = new VirtualClock();
  const children: ScriptedChild[] = [];
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(text);
  const made = new WorkerPool({
    config: testConfig({ worker: { count } }),
    log: { debug: say, info: say, warn: say, error: say },
    clock,
    random: () => 0.5,
    nonce: () => 'abc',
    fork: () => {
      const child = new ScriptedChild(100 + children.length);
      children.push(child);
      return child;
    },
    bootAtOnce: 2,
    onChange: () => undefined,
    onGone: () => undefined,
  });
  made.start();
  return { pool: made, clock, children, lines };
}

function makeReady(child: ScriptedChild | undefined, in_: WorkerPool): void {
  child?.says({ type: 'hello' });
  child?.says({ type: 'booted', redisReached: true });
  in_.reconcile(true);
  child?.beats();
  in_.reconcile(true);
}

test('a crashed worker is started again when its delay is over, not before', () => {
  const { pool: workers, clock, children, lines } = pool(1);
  makeReady(children[0], workers);
  children[0]?.ends({ code: 1 });
  workers.reconcile(true);
  expect(workers.dueInMs()).toBe(100);
  clock.pass(99);
  workers.reconcile(true);
  expect(children).toHaveLength(1);
  clock.pass(1);
  workers.reconcile(true);
  expect(children).toHaveLength(2);
  expect(lines).toContain('Worker worker-1 (pid 100) exited with code 1; starting it again in 100 ms');
});

test('a boot failure for good is fatal only while no worker was ever ready', () => {
  const first = pool(1);
  first.children[0]?.says({ type: 'boot-failed', code: 'E_CONFIG', message: 'Bad file.' });
  first.children[0]?.ends({ code: 78 });
  first.pool.reconcile(true);
  expect(first.pool.fatal).toEqual({ exitCode: 78, reason: 'worker-1 could not start: Bad file.' });

  const second = pool(2);
  makeReady(second.children[0], second.pool);
  second.children[1]?.says({ type: 'boot-failed', code: 'E_CONFIG', message: 'Bad file.' });
  second.children[1]?.ends({ code: 78 });
  second.pool.reconcile(true);
  expect(second.pool.fatal).toBeUndefined();
  expect(second.pool.slots[1]?.trouble).toBe('could not start: Bad file.');
});

test('no more processes boot at once than may, and none is given up for its slowness', () => {
  const { pool: workers, clock, children, lines } = pool(5);
  expect(children).toHaveLength(2);
  expect(workers.slots.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
  clock.pass(20_000);
  workers.reconcile(true);
  expect(children).toHaveLength(2);
  expect(workers.dueInMs()).toBe(10_000);
  makeReady(children[1], workers);
  expect(children).toHaveLength(3);
  clock.pass(10_000);
  for (let boots = 1; boots <= 6; boots++) {
    const [first] = children.slice(boots === 1 ? 0 : -1);
    workers.reconcile(true);
    expect(first?.killed).toBe(1);
    first?.ends({ signal: 'SIGKILL' });
    workers.reconcile(true);
    clock.pass(600_000);
    workers.reconcile(true);
    children[1]?.beats();
  }
  expect(workers.fatal).toBeUndefined();
  expect(lines.filter((line) => /did not boot/.test(line)).slice(0, 1)).toEqual([
    'Worker worker-1 (pid 100) did not boot within 30 s and was killed; starting it again in 100 ms',
  ]);
});

test('before any worker was ready, slowness is no reason to give up either', () => {
  const { pool: workers, clock, children } = pool(1);
  for (let boots = 0; boots < 4; boots++) {
    clock.pass(30_000 * 2 ** boots - 1);
    workers.reconcile(true);
    expect(children.at(-1)?.killed).toBe(0);
    clock.pass(1);
    workers.reconcile(true);
    expect(children.at(-1)?.killed).toBe(1);
    children.at(-1)?.ends({ signal: 'SIGKILL' });
    workers.reconcile(true);
    clock.pass(10_000);
    workers.reconcile(true);
  }
  expect([workers.fatal, children.length]).toEqual([undefined, 5]);
});

test('a missing beat is held against nobody while the primary itself was not running', () => {
  const { pool: workers, clock, children } = pool(1);
  makeReady(children[0], workers);
  clock.pass(60_000);
  workers.reconcile(false);
  expect(children[0]?.killed).toBe(0);
  workers.reconcile(true);
  expect(children[0]?.killed).toBe(1);
});

test('a smaller number drains the highest, a process that drained is no crash', () => {
  const { pool: workers, children } = pool(3);
  for (const child of children) makeReady(child, workers);
  workers.scale(1);
  workers.reconcile(true);
  expect(children.map(({ told }) => told.at(-1)?.type)).toEqual(['activate', 'drain', 'drain']);
  children[1]?.ends({ code: 0 });
  children[2]?.ends({ code: 0 });
  workers.reconcile(true);
  workers.reconcile(true);
  expect(workers.slots.map(({ number, restarts }) => [number, restarts])).toEqual([[1, 0]]);
  expect(children).toHaveLength(3);
});

test('a place that was given up is not wanted again when another gets its number', () => {
  const { pool: workers, children } = pool(2);
  for (const child of children) makeReady(child, workers);
  const [, former] = workers.slots;
  workers.scale(1);
  workers.reconcile(true);
  children[1]?.ends({ code: 0 });
  workers.reconcile(true);
  workers.reconcile(true);
  workers.scale(2);
  workers.reconcile(true);
  expect(workers.slots.map((slot) => workers.isWanted(slot))).toEqual([true, true]);
  expect(former && workers.isWanted(former)).toBe(false);
});

test('a process that failed to take over is watched until its end, also beside its successor', () => {
  const { pool: workers, children } = pool(1);
  makeReady(children[0], workers);
  const [slot] = workers.slots;
  if (!slot) throw new Error('There is no slot.');
  workers.forkIncoming(slot, workers.config).kill();
  workers.forkIncoming(slot, workers.config);
  expect(workers.processes.map(({ pid }) => pid)).toEqual([100, 102, 101]);
});

test('a process that cannot be started at all is a crash like any other', () => {
  const { pool: workers, children } = pool(1);
  for (let tries = 0; tries < 3 && !workers.fatal; tries++) {
    children.at(-1)?.ends();
    workers.reconcile(true);
    workers.slots.forEach((slot) => (slot.startAt = 0));
    workers.reconcile(true);
  }
  expect(workers.fatal?.exitCode).toBe(1);
  expect(workers.fatal?.reason).toContain('could not be started by the system');
});
