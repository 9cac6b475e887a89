import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../../src/shared/errors.js';
import { consumerName, localPid, redisKeys } from '../../../../src/queue/keys.js';

/** What Redis Cluster hashes: between the first brace and the first closing one after it. */
function slotText(key: string): string {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open >= 0 && close > open + 1 ? key.slice(open + 1, close) : key;
}

describe('keys', () => {
  test('are those of the design', () => {
    const keys = redisKeys('message_queue');
    const timed = { failuresIn: keys.failuresIn('2025-01-15T10'), historyOf: keys.historyOf('2026-11-26') };
    const made = { ...timed, processing: keys.processing('c') };
    expect({ ...keys, ...made }).toEqual({
      queue: 'message_queue',
      retry: '{message_queue}:retry',
      dead: '{message_queue}:dead',
      deadIndex: '{message_queue}:dead:index',
      deadLetters: '{message_queue}:dead:letters',
      deadExpirer: '{message_queue}:dead:expirer',
      untold: '{message_queue}:untold',
      consumers: '{message_queue}:consumers',
      crashes: '{message_queue}:crashes',
      shares: '{message_queue}:shares',
      searcher: '{message_queue}:searcher',
      paused: '{message_queue}:paused',
      pausedSeen: '{message_queue}:paused:seen',
      rate: '{message_queue}:rate',
      failures: '{message_queue}:failures',
      failuresSwept: '{message_queue}:failures:swept',
      failuresIn: '{message_queue}:failures:2025-01-15T10',
      fleet: '{message_queue}:fleet',
      audit: '{message_queue}:audit',
      history: '{message_queue}:history',
      historyWriters: '{message_queue}:history:writers',
      historyOf: '{message_queue}:history:2026-11-26',
      sideBooks: '{message_queue}:side-books',
      processing: '{message_queue}:processing:c',
    });
  });

  const names = fc.oneof(
    fc.stringMatching(/^[ab:{}]{1,6}$/),
    fc
      .tuple(
        fc.constantFrom('', 'a', '{a}', 'a{b}'),
        fc.constantFrom('', ':retry', ':untold', ':dead:b', ':processing:c', ':history', ':fleet', '}'),
      )
      .map(([start, end]) => `${start}${end}`),
  );
  const keysOf = (name: string): string[] | undefined => {
    try {
      const { processing, failuresIn, historyOf, ...others } = redisKeys(name);
      const timed = [failuresIn('2025-01-15T10'), historyOf('2026-11')];
      return [...Object.values(others), ...timed, processing('c'), processing('c:retry')];
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      return undefined;
    }
  };

  test('all live in the slot of the queue, whatever its name, or the name is refused', () => {
    fc.assert(
      fc.property(names, (name) => {
        for (const key of keysOf(name) ?? []) expect(slotText(key)).toBe(slotText(name));
      }),
    );
  });

  test('are shared by no two queues', () => {
    fc.assert(
      fc.property(names, names, (one, other) => {
        fc.pre(one !== other);
        const keys = new Set(keysOf(one));
        expect((keysOf(other) ?? []).filter((key) => keys.has(key))).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(['', 'a}b', '{}x', '{x}', 'x{', '{a}{b}', '{x}:retry', 'a{b}:processing:c'])('%j is no name', (name) => {
    expect(() => redisKeys(name)).toThrow(/REDIS_QUEUE_NAME/);
  });
});

describe('consumer names', () => {
  test('give the pid of a process of this boot and PID namespace', () => {
    expect(localPid(consumerName('worker-1', 4711, 'abc123'))).toBe(4711);
    expect(localPid(consumerName('a@b/c.9.x', 4711, 'abc123-2'))).toBe(4711);
  });

  test('of another host or boot give none', () => {
    const own = consumerName('worker-1', 4711, 'abc');
    expect(localPid(own.replace(/@[^/]*/, '@elsewhere'))).toBeUndefined();
    expect(localPid(own.replace(/\/[0-9a-f]+\./, '/000000000000.'))).toBeUndefined();
    expect(localPid('worker-1')).toBeUndefined();
  });

  test('two incarnations never share one', () => {
    expect(consumerName('worker-1', 1, 'a')).not.toBe(consumerName('worker-1', 1, 'b'));
  });
});
