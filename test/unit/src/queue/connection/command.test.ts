import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { Command } from 'ioredis';
import { expect, test } from 'vitest';
import { RedisCommand } from '../../../../../src/queue/connection/command.js';

const argument = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.integer(),
);

test('the bytes are those of the client’s own command', () => {
  fc.assert(
    fc.property(fc.constantFrom('EVALSHA', 'BLMOVE', 'PING'), fc.array(argument), (name, args) => {
      const own = new RedisCommand(name, [...args]).toWritable();
      const theirs = new Command(name, [...args]).toWritable({});
      expect(Buffer.from(own)).toEqual(Buffer.from(theirs));
    }),
    { numRuns: 300 },
  );
});

test('the client finds the keys, which decide over the slot in a cluster, though they came after its constructor', () => {
  const keys = (name: string, ...args: (string | number)[]) => new RedisCommand(name, args).getKeys();
  expect(keys('EVALSHA', 'hash', 2, '{q}:retry', 'q', 'argument')).toEqual(['{q}:retry', 'q']);
  expect(keys('BLMOVE', 'q', '{q}:processing:c', 'RIGHT', 'LEFT', 2)).toEqual(['q', '{q}:processing:c']);
  expect(new RedisCommand('LPUSH', ['{q}:dead', 'x']).getSlot()).toBe(new Command('GET', ['q']).getSlot());
});
