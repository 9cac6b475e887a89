import { describe, expect, test } from 'vitest';
import {
  domainOf,
  groupEntry,
  OTHER_FAILURES,
  readCount,
  type CountedFailures,
} from '../../../../../src/domain/failures/failure-group.js';
import { summariesOf } from '../../../../../src/domain/failures/failure-summary.js';
import { FailureTally } from '../../../../../src/domain/failures/failure-tally.js';
import { failureHours, hourBegin } from '../../../../../src/domain/failures/hours.js';

const AT = Date.UTC(2025, 0, 15, 10, 59, 59, 500);
const group = { reason: 'http_503', status: 503, client: 'c1', domain: 'example.org' };

function counted(attempts: number, of: Partial<typeof group> = {}, at = AT): CountedFailures {
  return { group: { ...group, ...of }, attempts, first: at, last: at, messageId: `m${attempts}` };
}

describe('the counts of an hour', () => {
  test('have an entry of four words for each group, which is read back', () => {
    const odd = { reason: 'timeout', status: undefined, client: 'a b\n', domain: undefined };
    expect(groupEntry(odd)).toBe('timeout  a%20b%0A ');
    expect(readCount(groupEntry(odd), '3 1 2 m%201')).toEqual({
      group: odd,
      attempts: 3,
      first: 1,
      last: 2,
      messageId: 'm 1',
    });
    expect(readCount(OTHER_FAILURES, '3 1 2 m')?.group).toBeUndefined();
    expect(readCount('no entry', '3 1 2 m')).toBeUndefined();
    expect(readCount(groupEntry(group), 'no count')).toBeUndefined();
  });

  test('take no more of a long name than a hundred characters', () => {
    expect(groupEntry({ ...group, client: 'x'.repeat(1_000), domain: '\ud800' })).toBe(
      `http_503 503 ${'x'.repeat(100)} %EF%BF%BD`,
    );
  });

  test('take the domain of a message that is as large as it may be from its front', () => {
    expect(domainOf(Buffer.from('{"message_id":"m","domain":"example.org","text":"x"}'))).toBe('example.org');
    expect(domainOf(Buffer.from('{"message_id":"m","domain":7}'))).toBeUndefined();
    expect(domainOf(Buffer.from(`{"message_id":"m","text":"${'x'.repeat(20_000)}","domain":"d"}`))).toBeUndefined();
  });
});

describe('the tally', () => {
  const failure = { ...group, at: AT, messageId: 'm1' };

  test('puts together what has all in common, hour by hour', () => {
    const tally = new FailureTally();
    expect(tally.isEmpty).toBe(true);
    tally.add(failure);
    tally.add({ ...failure, at: AT + 100, messageId: 'm2' });
    tally.add({ ...failure, client: 'c2' });
    tally.add({ ...failure, at: AT + 1_000 });
    const taken = tally.take();
    expect(taken).toEqual([
      [
        '2025-01-15T10',
        [
          { group, attempts: 2, first: AT, last: AT + 100, messageId: 'm2' },
          { group: { ...group, client: 'c2' }, attempts: 1, first: AT, last: AT, messageId: 'm1' },
        ],
      ],
      ['2025-01-15T11', [{ group, attempts: 1, first: AT + 1_000, last: AT + 1_000, messageId: 'm1' }]],
    ]);
    expect(tally.isEmpty).toBe(true);
    tally.add(failure);
    for (const [hour, counts] of taken) tally.putBack(hour, counts);
    expect(tally.take()[0]?.[1][0]).toMatchObject({ attempts: 3, messageId: 'm2' });
  });

  test('of a thousand clients that all fail knows the rest by number only', () => {
    const tally = new FailureTally();
    for (let number = 0; number < 1_200; number += 1) tally.add({ ...failure, client: `c${number}` });
    const [, counts] = tally.take()[0]!;
    expect(counts).toHaveLength(1_001);
    expect(counts.find((count) => !count.group)).toMatchObject({ attempts: 200 });
  });
});

describe('the summary', () => {
  const counts = [
    counted(2),
    counted(5, { client: 'c2', reason: 'http_422', status: 422 }, AT + 5),
    counted(1, { client: 'c2' }, AT - 5),
    { ...counted(9), group: undefined },
  ];

  test('puts together by one side, the most first', () => {
    expect(summariesOf(counts, 'client')).toEqual({
      attempts: 8,
      other: 9,
      groups: [
        {
          name: 'c2',
          attempts: 6,
          first: AT - 5,
          last: AT + 5,
          messageId: 'm5',
          reasons: ['http_422', 'http_503'],
          clients: 1,
          domains: 1,
        },
        {
          name: 'c1',
          attempts: 2,
          first: AT,
          last: AT,
          messageId: 'm2',
          reasons: ['http_503'],
          clients: 1,
          domains: 1,
        },
      ],
    });
    expect(summariesOf(counts, 'status').groups.map(({ name, attempts }) => [name, attempts])).toEqual([
      ['422', 5],
      ['503', 3],
    ]);
    expect(summariesOf(counts, 'domain').groups).toMatchObject([{ name: 'example.org', attempts: 8, clients: 2 }]);
  });

  test('leaves out what is not meant', () => {
    expect(summariesOf(counts, 'reason', { client: 'c2', reason: 'http_503' })).toMatchObject({
      attempts: 1,
      groups: [{ name: 'http_503', clients: 1 }],
    });
    expect(summariesOf(counts, 'reason', { domain: 'example.com' }).groups).toEqual([]);
  });
});

test('hours are whole, and no more than eight days', () => {
  expect(failureHours(AT, AT - 3_600_000)).toEqual(['2025-01-15T09', '2025-01-15T10']);
  expect(failureHours(AT, AT + 3_600_000)).toEqual(['2025-01-15T10']);
  expect(failureHours(AT)).toHaveLength(8 * 24 + 1);
  expect(new Date(hourBegin(AT - 1, AT)).toISOString()).toBe('2025-01-15T10:00:00.000Z');
});
