import { expect, test } from 'vitest';
import { FailingClients } from '../../../../../src/domain/failures/failing-clients.js';

const INTERVAL = 30_000;
const at = (now: number): number => 1_000_000 + now;

function scene(): { all: FailingClients; fail(now: number, client?: string): void; said(now: number): unknown } {
  const all = new FailingClients(INTERVAL);
  return {
    all,
    fail: (now, client) => all.failed({ client, answer: 'HTTP 422', at: at(now) }, now),
    said: (now) => all.facts(now).clients.map((one) => [one.client, one.failed, one.delivered, one.since]),
  };
}

test('of a client that fails its deliveries are counted too, and of others only their sum', () => {
  const { all, fail, said } = scene();
  all.delivered('a', 0);
  all.delivered('b', 0);
  fail(1, 'a');
  fail(2, 'a');
  all.delivered('a', 3);
  all.delivered('b', 4);
  expect(said(5)).toEqual([['a', 2, 1, at(1)]]);
  expect(all.facts(5)).toMatchObject({ failed: 2, delivered: 4 });
});

test('what fails once in an interval stays known, and what has not failed for two is forgotten', () => {
  const { all, fail, said } = scene();
  for (let now = 0; now <= 10 * INTERVAL; now += INTERVAL) fail(now, 'a');
  expect(said(10 * INTERVAL)).toEqual([['a', 2, 0, at(0)]]);
  for (let now = 10 * INTERVAL; now < 12 * INTERVAL; now += 1_000) all.delivered('a', now);
  expect(said(12 * INTERVAL)).toEqual([]);
});

test('since when is since at least half fails: single failures before count for nothing', () => {
  const { all, fail, said } = scene();
  fail(0, 'a');
  for (let now = 1; now < 10; now += 1) all.delivered('a', now);
  for (let now = 20_000; now < 20_010; now += 1) fail(now, 'a');
  expect(said(20_010)).toEqual([['a', 11, 9, at(20_007)]]);
});

test('after a silence nothing of before is lately', () => {
  const { all, fail } = scene();
  fail(0, 'a');
  all.delivered('b', 0);
  expect(all.facts(3 * INTERVAL)).toEqual({ failed: 0, delivered: 0, clients: [] });
});

test('no name is too long, and no number of clients too large', () => {
  const { all, fail } = scene();
  fail(0, 'x'.repeat(10_000));
  all.delivered('x'.repeat(10_000), 0);
  fail(0);
  for (let client = 0; client < 1_000; client += 1) fail(0, `client-${client}`);
  fail(0, 'client-1');
  const { clients, failed } = all.facts(0);
  expect(failed).toBe(1_003);
  expect(clients).toHaveLength(10);
  expect(clients[0]).toMatchObject({ client: 'client-1', failed: 2 });
  expect(clients).toContainEqual(expect.objectContaining({ client: 'x'.repeat(100), delivered: 1 }));
});
