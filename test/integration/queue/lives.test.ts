import { createBackgroundConnection } from '../../../src/queue/background.js';
import { RedisConnection } from '../../../src/queue/connection/connection.js';
import { Sessions } from '../../../src/queue/connection/sessions.js';
import type { Life } from '../../../src/shared/life.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { systemRandom } from '../../../src/shared/time/random.js';
import { conformsToLife } from '../../support/life.js';
import { queueOf, queueConfig, redisConfig } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';

const redis = useRedis();
const common = { workerId: 'worker-1', clock: systemClock, random: systemRandom };

interface Connecting extends Life {
  whenReady(timeoutMs: number): Promise<void>;
}

/** Its parts connect in the background: here a start is over when that has come about, or was tried a few times in vain. */
function holdToLife(name: string, partAt: (port: number) => Connecting): void {
  const settled = (part: Connecting, timeoutMs: number): Life => ({
    start: async () => {
      await part.start();
      await part.whenReady(timeoutMs);
    },
    stop: () => part.stop(),
  });
  conformsToLife({
    name,
    make: () => settled(partAt(redis.port), 5_000),
    makeFailing: () => settled(partAt(1), 250),
  });
}

holdToLife('a connection', (port) => {
  return new RedisConnection({ ...common, redis: redisConfig(port), name: 'test', silenceMs: 3_000 });
});

holdToLife('a worker’s two sessions', (port) => {
  const events = { onConnected: () => undefined, onDisconnected: () => undefined };
  return new Sessions({ ...common, redis: redisConfig(port), events });
});

holdToLife('a worker’s queue', (port) => queueOf(port));

holdToLife('the primary’s access to the queue', (port) => {
  const config = { redis: redisConfig(port), queue: queueConfig() };
  return createBackgroundConnection({ ...common, config });
});

conformsToLife({
  name: 'a connection whose authority cannot be read',
  make: () => queueOf(redis.port),
  makeFailing: () => queueOf(redis.port, 'worker-1', { redis: { tls: true, tlsCaFile: '/nowhere/ca.crt' } }),
});
