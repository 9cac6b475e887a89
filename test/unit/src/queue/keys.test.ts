import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
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
    expect({ ...keys, processing: keys.processing('c') }).toEqual({
      queue: 'message_queue',
      retry: '{message_queue}:retry',
      dead: '{message_queue}:dead',
      deadIndex: '{message_queue}:dead:index',
      deadLetters: '{message_queue}:dead:letters',
      consumers: '{message_queue}:consumers',
      crashes: '{message_queue}:crashes',
      processing: '{message_queue}:processing:c',
    });
  });

  test('all live in the slot of the queue, whatever its name', () => {
    const names = fc.stringMatching(/^[a-z:_-]{1,8}(\{[a-z]{0,4}\})?[a-z]{0,4}$/);
    fc.assert(
      fc.property(names, (name) => {
        // `{}` in a name cannot be a tag, and nothing we put around it makes it one
        fc.pre(!name.includes('{}'));
        const keys = redisKeys(name);
        const { retry, dead, deadIndex, deadLetters, consumers, crashes } = keys;
        for (const key of [retry, dead, deadIndex, deadLetters, consumers, crashes, keys.processing('w@h/0.1.n')]) {
          expect(slotText(key)).toBe(slotText(name));
        }
      }),
    );
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
