import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Listener } from '../../../../supervisor/admin/listener.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

const RETRY_MS = 5_000;

let clock: VirtualClock;
let server: Server;
let listener: Listener;
/** Why it cannot listen; undefined = it can. */
let obstacle: string | undefined;
let prepared: number;
let said: string[];

beforeEach(() => {
  clock = new VirtualClock();
  server = createServer();
  [obstacle, prepared, said] = [undefined, 0, []];
  listener = new Listener({
    server,
    prepare: async () => void (prepared += 1),
    listen: () => {
      if (obstacle !== undefined) throw new Error(obstacle);
      server.listen(0, '127.0.0.1');
    },
    onListening: () => said.push('listening'),
    trouble: (error) => `No: ${error.message}.`,
    log: { debug() {}, info() {}, warn() {}, error: (line) => said.push(line) },
    clock,
  });
});
afterEach(() => listener.stop());

test('what keeps it from listening is said once, and it is tried again every 5 s', async () => {
  expect(listener.trouble).toBe('it has not been started');
  obstacle = 'taken';
  listener.start();
  await clock.advance(2 * RETRY_MS);
  expect(said).toEqual(['No: taken. Delivery goes on; trying again every 5 s.']);
  expect(prepared).toBe(3);
  expect(listener.trouble).toBe('No: taken.');

  obstacle = 'gone';
  await clock.advance(RETRY_MS);
  expect(said).toHaveLength(2);

  obstacle = undefined;
  await clock.advance(RETRY_MS);
  expect(said[2]).toBe('listening');
  expect(listener.trouble).toBeUndefined();
  expect(clock.pending).toBe(0);
});

test('an error while it listens is trouble for 5 s, not for ever', async () => {
  listener.start();
  await clock.settle();
  expect(listener.trouble).toBeUndefined();
  server.emit('error', new Error('too many open files'));
  expect(listener.trouble).toBe('No: too many open files.');
  await clock.advance(RETRY_MS);
  expect(listener.trouble).toBeUndefined();
  expect(server.listening).toBe(true);
});

test('after a stop nothing is tried again', async () => {
  obstacle = 'taken';
  listener.start();
  await clock.settle();
  await listener.stop();
  expect(clock.pending).toBe(0);
  obstacle = undefined;
  listener.start();
  await clock.advance(RETRY_MS);
  expect(server.listening).toBe(false);
});
