import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { readDeadLetter } from '../../../src/domain/dead-letters/dead-letter.js';
import { createRetryScheduler } from '../../../src/duties/retry-scheduler.js';
import { withOperatorQueue } from '../../../src/queue/operator-queue.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { claim, message, places, QUEUE, queueConfig, redisConfig, settle } from '../../support/redis/queue.js';
import { recordedLog } from '../../support/recorded-log.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { useQueues } from './queues.js';

/** What others have written into our keys. */
const redis = useRedis();
const queueOf = useQueues(redis);
const RETRY = `{${QUEUE}}:retry`;
const DEAD = `{${QUEUE}}:dead`;

const FOREIGN = [
  Buffer.from('oops'),
  Buffer.from(''),
  Buffer.from(message('raw')),
  Buffer.from('a b:c'),
  Buffer.from([0xff, 0x00, 0x3a, 0x80]),
  Buffer.from(`0123456789abc ${'1'.repeat(100_000)}`),
];
const ours = (text: string, at = 1) => `0123456789ab${at} id 1000:${text}`;

async function deadMessages(): Promise<(Buffer | undefined)[]> {
  return (await redis.client.lrangeBuffer(DEAD, 0, -1)).map((stored) => readDeadLetter(stored)?.raw);
}

describe('members of the retries that no worker has written', () => {
  test('go to the dead list, byte for byte, said once; what is due behind them flows', async () => {
    const queue = await queueOf();
    const log = recordedLog();
    for (const member of FOREIGN) await redis.client.zadd(RETRY, 1, member);
    await redis.client.zadd(RETRY, 2, ours('behind'), 3, 'abcdefabcdef1 old:of an earlier build');
    const options = { queue: queue.background, retryIntervalMs: 30_000, clock: systemClock, log };
    const duty = createRetryScheduler(options);
    await duty.start();
    await waitFor(async () => (await redis.client.zcard(RETRY)) === 0, { what: 'the set to be empty' });
    await duty.stop();
    expect(await redis.client.lrange(QUEUE, 0, -1)).toEqual(['of an earlier build', 'behind']);
    expect(new Set((await deadMessages()).map((raw) => raw?.toString('hex')))).toEqual(
      new Set(FOREIGN.map((raw) => raw.toString('hex'))),
    );
    const said = log.lines.filter((line) => line.startsWith('WARNING'));
    expect(said).toEqual([expect.stringContaining(`${FOREIGN.length} member(s) of ${RETRY}`)]);
  });

  test('that are due in years are set aside as well', async () => {
    const queue = await queueOf();
    await redis.client.zadd(RETRY, 9e15, 'later', 'inf', 'never');
    const duty = createRetryScheduler({
      queue: queue.background,
      retryIntervalMs: 30_000,
      clock: systemClock,
      log: recordedLog(),
    });
    await duty.start();
    await waitFor(async () => (await redis.client.llen(DEAD)) === 2, { what: 'both to be set aside' });
    await duty.stop();
  });

  test.each([
    ['the dead list is of another type', 2_500, 10],
    ['they are large', 30, 1_000_000],
  ])('that cannot be set aside hold up nothing, however many: %s', async (_, count, bytes) => {
    const queue = await queueOf();
    await redis.client.set(DEAD, 'no list');
    for (let n = 0; n < count; n += 1) await redis.client.zadd(RETRY, 1, `oops ${n} ${'x'.repeat(bytes)}`);
    await redis.client.zadd(RETRY, 2, ours('behind'));
    const log = recordedLog();
    const duty = createRetryScheduler({ queue: queue.background, retryIntervalMs: 30_000, clock: systemClock, log });
    await duty.start();
    await waitFor(async () => (await redis.client.llen(QUEUE)) === 1, { what: 'the retry behind them' });
    await waitFor(() => log.count(/^ERROR/) === 1, { what: 'the refusal to be said' });
    expect(await redis.client.zcard(RETRY)).toBe(count);
    await redis.client.del(DEAD);
    await waitFor(async () => (await redis.client.llen(DEAD)) === count, { what: 'all to be set aside once they can' });
    await duty.stop();
    expect(log.count(/^ERROR/)).toBe(1);
  });

  test('are met once each, and hold Redis for a moment', async () => {
    const queue = await queueOf();
    await redis.client.set(DEAD, 'no list');
    for (let n = 0; n < 2_500; n += 1) await redis.client.zadd(RETRY, 1, `oops ${n}`);
    await redis.client.zadd(RETRY, 2, ours('behind'));
    const met = [];
    for (let look = 0; look < 5; look += 1) met.push((await queue.background.promoteDue(10)).foreign);
    expect(met).toEqual([1_000, 1_000, 500, 0, 0]);
  });

  test('one of ours that lies where they are put is due', async () => {
    const queue = await queueOf();
    await redis.client.zadd(RETRY, '-inf', ours('mine'), '-inf', 'oops');
    expect(await queue.background.setAside(10)).toEqual({ moved: 1, isOver: false });
    expect(await queue.background.promoteDue(10)).toMatchObject({ moved: 1, foreign: 0 });
    expect(await redis.client.zcard(RETRY)).toBe(0);
  });

  test('that cannot be set aside keep nothing from a rollback, which says so at its end', async () => {
    await redis.client.set(DEAD, 'no list');
    for (let n = 0; n < 250; n += 1) await redis.client.zadd(RETRY, 1, `oops ${n}`);
    await redis.client.zadd(RETRY, 2, ours('behind'));
    await redis.client.zadd(`{${QUEUE}}:consumers`, 1, 'dead');
    await redis.client.lpush(`{${QUEUE}}:processing:dead`, 'held');
    const rollback = withOperatorQueue({ redis: redisConfig(redis.port), queue: queueConfig() }, systemClock, (queue) =>
      queue.rollback.run({ force: true }),
    );
    await expect(rollback).rejects.toThrow(`${DEAD} in Redis is no list`);
    expect((await redis.client.lrange(QUEUE, 0, -1)).sort()).toEqual(['behind', 'held']);
    expect(await redis.client.zcard(RETRY)).toBe(250);
  });

  test('are set aside by a rollback, which gives back the rest', async () => {
    await redis.client.zadd(RETRY, 1, 'oops', 2, ours('r1'), 3, message('raw'), 4, ours('r2', 2));
    const config = {
      redis: redisConfig(redis.port),
      queue: queueConfig(),
    };
    const moved = await withOperatorQueue(config, systemClock, ({ rollback }) => rollback.run({ force: false }));
    expect(moved).toEqual({ claims: 0, retries: 2 });
    expect(await redis.client.lrange(QUEUE, 0, -1)).toEqual(['r2', 'r1']);
    expect((await deadMessages()).map(String).sort()).toEqual(['oops', message('raw')].sort());
    expect(await redis.client.zcard(RETRY)).toBe(0);
  });
});

test('an entry of our list that we do not know goes back to the queue, an empty one too', async () => {
  const queue = await queueOf();
  await redis.client.lpush(QUEUE, '', 'b');
  const [empty, b] = await claim(queue, 2);
  await redis.client.lpush(`{${QUEUE}}:processing:${queue.consumer}`, 'foreign');
  expect(await queue.reconcile([empty!, b!])).toEqual({ handedBack: 1, missing: [], lost: [] });
  const letters = { kind: 'bury', claim: empty!, envelope: 'letter' } as const;
  expect((await settle(queue, letters, { kind: 'hand-back', claim: b! })).lost).toEqual([]);
  expect(await places(redis.client)).toEqual({
    waiting: ['foreign', 'b'],
    processing: [],
    retry: [],
    dead: ['letter'],
  });
});

test('a crash counter that is no number is none', async () => {
  const queue = await queueOf();
  await redis.client.lpush(QUEUE, 'a');
  await redis.client.hset(`{${QUEUE}}:crashes`, '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8', 'many');
  expect(await claim(queue, 1)).toHaveLength(1);
});

describe('a key of another type', () => {
  test('the queue: what was settled is settled, and the refusal names the key', async () => {
    const queue = await queueOf();
    await redis.client.lpush(QUEUE, 'a', 'b');
    const [a, b] = await claim(queue, 2);
    await redis.client.set(QUEUE, 'a string');
    const exchange = await queue.exchange({
      settlements: [
        { kind: 'ack', claim: a! },
        { kind: 'hand-back', claim: b! },
      ],
      want: 2,
      inFlight: 0,
    });
    expect(exchange).toMatchObject({ claims: [], lost: [], claimRefusal: expect.stringContaining(QUEUE) as string });
    expect(exchange.refused).toEqual([
      { settlement: { kind: 'hand-back', claim: b }, reason: expect.stringContaining(`RPUSH ${QUEUE}`) as string },
    ]);
    expect(await redis.client.lrange(`{${QUEUE}}:processing:${queue.consumer}`, 0, -1)).toEqual(['b']);
  });

  test('a processing list counts nothing', async () => {
    const queue = await queueOf();
    await redis.client.zadd(`{${QUEUE}}:consumers`, 1, 'other');
    await redis.client.set(`{${QUEUE}}:processing:other`, 'a string');
    await redis.client.lpush(QUEUE, 'a', 'b');
    await claim(queue, 1);
    expect(await queue.background.sizes()).toMatchObject({ waiting: 1, processing: 1 });
  });

  test.each(['queue', 'retry', 'dead', 'consumers'])('%s: the sizes name it', async (name) => {
    const queue = await queueOf();
    const key = name === 'queue' ? QUEUE : `{${QUEUE}}:${name}`;
    await redis.client.set(key, 'a string');
    await expect(queue.background.sizes()).rejects.toThrow(`The key ${key} in Redis`);
  });
});

describe('registration', () => {
  test('an exchange that claims makes its consumer known first, whatever its lease', async () => {
    const queue = await queueOf();
    await redis.client.lpush(QUEUE, 'a', 'b');
    await claim(queue, 1);
    await redis.client.del(`{${QUEUE}}:consumers`);
    await claim(queue, 1);
    expect(await redis.client.zscore(`{${QUEUE}}:consumers`, queue.consumer)).not.toBeNull();
    expect(await queue.background.sizes()).toMatchObject({ processing: 2 });
  });

  test('where Redis refuses to know a consumer nothing is claimed', async () => {
    const queue = await queueOf();
    await redis.client.lpush(QUEUE, 'a');
    await redis.client.set(`{${QUEUE}}:consumers`, 'no set');
    await expect(claim(queue, 1)).rejects.toThrow(`The key {${QUEUE}}:consumers in Redis`);
    expect((await places(redis.client)).waiting).toEqual(['a']);
  });
});
