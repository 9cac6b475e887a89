import { expect, test } from 'vitest';
import { HANGS_MS, waitFor } from '../../../support/wait-for.js';
import { claim, QUEUE, settle } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { useQueues } from '../queues.js';

const redis = useRedis({ args: ['--client-output-buffer-limit', 'normal 256kb 64kb 60'] });
const queueOf = useQueues(redis);

test('a reply that Redis will not hold is asked for in parts', async () => {
  const queue = await queueOf();
  const large = Array.from({ length: 8 }, (_, n) => `${n}`.repeat(100_000));
  for (const text of large) await redis.client.lpush(QUEUE, text);
  const claimed: string[] = [];
  let cuts = 0;
  const next = async (): Promise<boolean> => {
    await queue.whenReady(HANGS_MS);
    try {
      const claims = await claim(queue, 8);
      claimed.push(...claims.map(({ raw }) => raw.toString()));
      for (const taken of claims) await settle(queue, { kind: 'ack', claim: taken });
    } catch {
      cuts += 1;
      await queue.whenReady(HANGS_MS);
      await queue.reconcile([]);
    }
    return claimed.length === 8;
  };
  await waitFor(next, { what: 'all messages to be claimed' });
  expect(new Set(claimed)).toEqual(new Set(large));
  expect(cuts).toBeLessThan(4);
});
