import { expect, test } from 'vitest';
import { conformsToMessageQueue, type StoreUnderTest } from '../../support/redis/message-queue-conformance.js';
import { openQueue, QUEUE } from '../../support/redis/queue.js';
import { useRedis, type TestRedis } from '../../support/redis/redis.js';
import { ScriptedQueue } from '../../support/redis/scripted-queue.js';
import { VirtualClock } from '../../support/virtual-clock.js';

/** By which pops a queue claims depends on the server's age and on WORKER_QUEUE_RELIABLE; what they do must not. */
const redis = useRedis();
const COMMANDS_SINCE_6_2 = ['BLMOVE', 'LMOVE', 'LMPOP', 'BLMPOP'];
const old = useRedis({ args: COMMANDS_SINCE_6_2.flatMap((command) => ['--rename-command', command, '']) });

async function storeOn({ client, port }: TestRedis, reliable: boolean): Promise<StoreUnderTest> {
  const queue = await openQueue(port, 'worker-1', { reliable });
  const other = await openQueue(port, 'worker-2');
  return {
    queue,
    produce: async (...messages) => void (await client.lpush(QUEUE, ...messages)),
    waiting: async () => (await client.lrange(QUEUE, 0, -1)).toReversed(),
    takeOver: async (consumer) => void (await other.background.recover(consumer, { evenIfLeased: true })),
    close: async () => void (await Promise.all([queue.stop(), other.stop()])),
  };
}

function scriptedStore(): StoreUnderTest {
  const queue = new ScriptedQueue(new VirtualClock());
  return {
    queue,
    produce: async (...messages) => queue.push(...messages),
    waiting: async () => queue.waiting.toReversed().map(String),
    takeOver: async () => queue.recoverAll(),
    close: () => queue.close(),
  };
}

conformsToMessageQueue({
  name: 'Redis with BLMOVE',
  reliable: true,
  losesLeases: true,
  open: () => storeOn(redis, true),
});

conformsToMessageQueue({
  name: 'a Redis before 6.2, with BRPOPLPUSH',
  reliable: true,
  losesLeases: true,
  open: () => storeOn(old, true),
});

conformsToMessageQueue({
  name: 'plain pops, without a safety copy',
  reliable: false,
  losesLeases: false,
  open: () => storeOn(redis, false),
});

conformsToMessageQueue({
  name: 'the one in memory that tests of the work loop give their orders to',
  reliable: true,
  losesLeases: false,
  open: async () => scriptedStore(),
});

test('the second server really lacks the newer commands, and the first has them', async () => {
  await expect(old.client.call('BLMOVE', 'a', 'b', 'LEFT', 'RIGHT', '1')).rejects.toThrow('unknown command');
  expect(await redis.client.call('COMMAND', 'INFO', 'BLMOVE')).not.toEqual([null]);
});
