import { expect, test } from 'vitest';
import { failureLine } from '../../../../src/domain/failures/failed-attempt.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import { systemClock } from '../../../../src/shared/time/clock.js';
import { crowded } from '../../../support/crowding.js';
import { QUEUE } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { useQueues } from '../queues.js';

const redis = useRedis();
const queueOf = useQueues(redis);
const keys = redisKeys(QUEUE);
const STALL_MS = 20;

test.each([1, 5])(
  'a look of the sweep at messages of %i failed attempts holds Redis for less than 20 ms',
  async (attempts) => {
    const { background } = await queueOf();
    const at = systemClock.wallNow();
    const line = failureLine({ at, reason: 'http_422', status: 422, answer: '語'.repeat(200), workerId: 'worker-1' });
    const kept = Array<string>(attempts).fill(line).join('\n');
    for (let number = 0; number < 2_000; number += 1) await redis.client.hset(keys.failures, `m${number}`, kept);
    await redis.client.config('SET', 'slowlog-log-slower-than', '0');
    const looks: number[] = [];
    for (let cursor = '0', look = 0; look < 5; look += 1) {
      await redis.client.slowlog('RESET');
      ({ cursor } = await background.sweepFailures(cursor, 0));
      const log = (await redis.client.slowlog('GET', 10)) as readonly (readonly [
        number,
        number,
        number,
        readonly string[],
      ])[];
      const micros = log.flatMap(([, , took, [name = '']]) => (/^eval/i.test(name) ? [took] : []));
      looks.push(Math.max(...micros) / 1_000);
    }
    expect(Math.min(...looks)).toBeLessThan(crowded(STALL_MS));
  },
);
