import { describe, expect, test } from 'vitest';
import { failingStatus } from '../../../../../supervisor/status/documents/failing-clients.js';
import { readinessOf } from '../../../../../supervisor/status/documents/readiness.js';
import { failingConcerns } from '../../../../../supervisor/status/judgement/failing-concerns.js';
import type { FailingClient } from '../../../../../supervisor/status/status-document.js';
import { readFailing } from '../../../../../src/shared/metrics/failing-facts.js';
import { factsOf } from './facts.js';

const SINCE = '2026-01-15T10:30:45Z';
const of = (client_id: string | null, failed: number, delivered = 0): FailingClient => ({
  ...{ client_id, failed, delivered, answer: 'HTTP 422', since: SINCE },
});

/** Beside what all others have. */
function concern(clients: readonly FailingClient[], rest: { failed?: number; delivered?: number } = {}) {
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  const failing = {
    failed: sum(clients.map(({ failed }) => failed)) + (rest.failed ?? 0),
    delivered: sum(clients.map(({ delivered }) => delivered)) + (rest.delivered ?? 0),
    clients,
  };
  const facts = factsOf([{}], { failing });
  expect(readinessOf(facts).status).toBe(200);
  return failingConcerns(facts)[0];
}

test('of one client, with what to type for it', () => {
  const said = concern([of('shop-7', 40)], { delivered: 200 });
  expect(said?.text).toBe(
    "messages of client shop-7 fail: HTTP 422, 40 of 40 attempts; everybody else's are delivered",
  );
  expect(said?.advice?.command).toBe('message-broker-worker failures --client shop-7');
  expect(concern([of(null, 12, 3)], { delivered: 200, failed: 5 })?.text).toBe(
    "messages of no client (they have no client_id) fail: HTTP 422, 12 of 15 attempts; most of everybody else's are delivered",
  );
});

test('of a few clients at once', () => {
  const said = concern([of('a', 40), of('b', 20, 1)], { delivered: 200 });
  expect(said?.text).toBe(
    "messages of 2 clients fail: client a: HTTP 422, 40 of 40 attempts; client b: HTTP 422, 20 of 21 attempts; everybody else's are delivered",
  );
  expect(said?.advice?.command).toBe('message-broker-worker failures --by client');
});

test.each(['a b', "x'; rm -rf .", '--yes', 'x'.repeat(65), 'w\x1b[2J'])(
  'a name that is no word is not typed: %j',
  (name) => {
    const said = concern([of(name, 40)], { delivered: 200 });
    expect(said?.text).not.toContain('\x1b');
    expect(said?.advice?.command).toBe('message-broker-worker failures --by client');
  },
);

describe('it is not about clients', () => {
  test.each([
    ['where nine have failed', concern([of('a', 9)], { delivered: 200 })],
    ['where most of its messages are delivered', concern([of('a', 40, 41)], { delivered: 200 })],
    ['where nobody else has any', concern([of('a', 40)])],
    ['where those of others fail, too', concern([of('a', 40)], { delivered: 20, failed: 20 })],
    [
      'where four fail',
      concern(
        ['a', 'b', 'c', 'd'].map((name) => of(name, 40)),
        { delivered: 200 },
      ),
    ],
  ])('%s', (_, said) => {
    expect(said).toBeUndefined();
  });
});

test('what several workers say is put together', () => {
  const said = (failed: number, answer: string, since: number) => ({
    ...{ failed, delivered: 5, clients: [{ client: 'a', answer, failed, delivered: 1, since }] },
  });
  expect(failingStatus([said(3, 'HTTP 500', 9_000), said(7, 'HTTP 422', 8_000)])).toEqual({
    failed: 10,
    delivered: 10,
    clients: [{ client_id: 'a', answer: 'HTTP 422', failed: 10, delivered: 2, since: '1970-01-01T00:00:08Z' }],
  });
});

test('what no worker would say is not taken from the channel', () => {
  const client = { client: 'a', answer: 'HTTP 422', failed: 1, delivered: 0, since: 1 };
  expect(readFailing(undefined)).toBeUndefined();
  expect(readFailing({ failed: -1, delivered: 0, clients: [] })).toBeUndefined();
  const clients = [
    client,
    { ...client, failed: '1' },
    { ...client, client: 7 },
    null,
    ...Array.from({ length: 20 }, () => client),
  ];
  expect(readFailing({ failed: 1, delivered: 0, clients })?.clients).toEqual(Array.from({ length: 10 }, () => client));
});
