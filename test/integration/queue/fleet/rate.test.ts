import { expect, describe, test } from 'vitest';
import { claim, message, places, QUEUE, settle } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { useQueues } from '../queues.js';

const redis = useRedis();
const queueOf = useQueues(redis);
const RATE = `{${QUEUE}}:rate`;
/** Half a second's worth is kept. */
const paced = (rate: number) => ({ rate });
const ask = { settlements: [], want: 100, inFlight: 0 };

async function waiting(count: number): Promise<void> {
  await redis.client.lpush(QUEUE, ...Array.from({ length: count }, (_, number) => message(`m${number}`)));
}

/** As if so much time had gone by on Redis's clock since the last claim. */
async function pass(ms: number): Promise<void> {
  const [tokens, at] = String(await redis.client.hget(RATE, 'tokens')).split(' ');
  await redis.client.hset(RATE, 'tokens', `${tokens} ${Number(at) - ms}`);
}

describe('a rate over the fleet', () => {
  test('lets the fleet claim half a second’s worth at once, and each worker what the others have left', async () => {
    const [one, other] = [await queueOf('worker-1', paced(0.2)), await queueOf('worker-2', paced(0.2))];
    await waiting(3);
    const began = performance.now();
    expect((await one.exchange(ask)).claims).toHaveLength(1);
    const { claims, tokenInMs, claimRefusal } = await other.exchange(ask);
    expect([claims, claimRefusal]).toEqual([[], undefined]);
    expect(tokenInMs).toBeGreaterThanOrEqual(4_998 - (performance.now() - began));
    expect(tokenInMs).toBeLessThanOrEqual(5_000);
    await pass(5_000);
    expect(await claim(other, 2)).toHaveLength(1);
    expect((await places(redis.client)).waiting).toHaveLength(1);
  });

  test('is kept whatever is asked for and when, and nothing of it is lost', async () => {
    const queue = await queueOf('worker-1', paced(50));
    await waiting(1_000);
    let claimed = 0;
    const began = performance.now();
    for (let ms = 0; ms < 10_000; ms += 250) {
      claimed += (await queue.exchange(ask)).claims.length;
      await pass(250);
    }
    const ownSeconds = (performance.now() - began) / 1_000;
    expect(claimed).toBeGreaterThanOrEqual(500);
    // 10 s and what the test itself has taken, and half a second's worth
    expect(claimed).toBeLessThanOrEqual(50 * (10 + ownSeconds) + 25 + 1);
  });

  test('takes no token for what is not there', async () => {
    const queue = await queueOf('worker-1', paced(2));
    for (let asked = 0; asked < 5; asked += 1) expect(await queue.exchange(ask)).toMatchObject({ tokenInMs: 0 });
    await waiting(2);
    expect(await queue.exchange(ask)).toMatchObject({
      claims: [expect.anything()],
      tokenInMs: expect.any(Number) as number,
    });
  });

  test('settles without a token', async () => {
    const queue = await queueOf('worker-1', paced(0.01));
    await waiting(2);
    const [first] = await claim(queue, 1);
    expect((await settle(queue, { kind: 'ack', claim: first! })).lost).toEqual([]);
    expect((await places(redis.client)).processing).toEqual([]);
  });

  test('a clock that is set back stalls nothing, and one that is set ahead gives no more than what is kept', async () => {
    const queue = await queueOf('worker-1', paced(10));
    await waiting(100);
    expect(await claim(queue, 10)).toHaveLength(5);
    await pass(-3_600_000);
    expect((await queue.exchange(ask)).claims).toHaveLength(0);
    await pass(200);
    expect((await queue.exchange(ask)).claims.length).toBeGreaterThanOrEqual(2);
    await pass(3_600_000);
    expect((await queue.exchange(ask)).claims).toHaveLength(5);
  });

  test('nothing is claimed where the token cannot be noted, and the reason is said', async () => {
    await redis.client.call('ACL', 'SETUSER', 'narrow', 'reset', 'on', '>pw', '~*', '+@all', '-hset');
    const user = { username: 'narrow', password: 'pw' };
    const queue = await queueOf('worker-1', { rate: 10, redis: user });
    await waiting(1);
    const { claims, claimRefusal } = await queue.exchange(ask);
    expect([claims.length, claimRefusal]).toEqual([0, expect.stringMatching(/hset.*\{message_queue\}:rate/i)]);
    expect((await places(redis.client)).waiting).toHaveLength(1);
  });

  test('leaves nothing for ever, and without one nothing is written', async () => {
    await waiting(2);
    expect(await claim(await queueOf('worker-1'), 1)).toHaveLength(1);
    expect(await redis.client.exists(RATE)).toBe(0);
    await claim(await queueOf('worker-2', paced(0.5)), 1);
    expect(await redis.client.ttl(RATE)).toBeGreaterThan(30);
  });
});
