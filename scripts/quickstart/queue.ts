/** The quickstart's queue: in a Redis of its own, or under a name of its own in the one that REDIS_HOST names. */
import { RedisConnection } from '../../src/queue/connection/connection.js';
import { address } from '../../src/queue/connection/problem.js';
import { createBackgroundQueue } from '../../src/queue/background.js';
import { redisKeys } from '../../src/queue/keys.js';
import { SideBooks } from '../../src/queue/side-books.js';
import type { QueueSizes } from '../../src/queue/message-queue.js';
import type { Config } from '../../src/shared/config/config.js';
import { RedisUnavailableError } from '../../src/shared/errors.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { systemRandom } from '../../src/shared/time/random.js';

export interface DemoQueue {
  /** LPUSHes each message, oldest first. */
  enqueue(messages: readonly string[]): Promise<void>;
  /** Undefined while Redis does not answer. */
  sizes(): Promise<QueueSizes | undefined>;
  /** The command that enqueues one message by hand. */
  readonly sendCommand: string;
  /** Removes every key of the queue. */
  remove(): Promise<void>;
  close(): Promise<void>;
}

const CONNECT_DEADLINE_MS = 5_000;
const SILENCE_MS = 5_000;
const PUSHED_AT_ONCE = 1_000;

/** @throws RedisUnavailableError when Redis cannot be reached within 5 s */
export async function connectQueue(config: Config): Promise<DemoQueue> {
  const name = config.queue.name;
  const keys = redisKeys(name);
  const connection = new RedisConnection({
    redis: config.redis,
    name: 'quickstart',
    silenceMs: SILENCE_MS,
    clock: systemClock,
    random: systemRandom,
  });
  connection.start();
  await connection.whenReady(CONNECT_DEADLINE_MS);
  if (!connection.isReady()) {
    const sentence = connection.describe(connection.problem);
    await connection.stop();
    throw new RedisUnavailableError(sentence, false);
  }
  const clock = systemClock;
  const sideBooks = new SideBooks({ connection, keys, mostBytes: config.queue.sideBooksMaxBytes, clock });
  const queue = createBackgroundQueue(connection, keys, { workerId: 'quickstart', clock, sideBooks });
  return {
    async enqueue(messages) {
      for (let at = 0; at < messages.length; at += PUSHED_AT_ONCE)
        await connection.call('LPUSH', keys.queue, ...messages.slice(at, at + PUSHED_AT_ONCE));
    },
    sizes: () => queue.sizes().catch(() => undefined),
    sendCommand: `${redisCli(config.redis)} LPUSH ${name} '{"message_id":"hello-1"}'`,
    async remove() {
      const consumers = await queue.consumers();
      const { queue: waiting, retry, dead, deadIndex, deadLetters, crashes, failures } = keys;
      const ours = [waiting, retry, dead, deadIndex, deadLetters, crashes, failures, keys.consumers];
      const claims = consumers.map((consumer) => keys.processing(consumer));
      await connection.call('DEL', ...ours, ...claims);
    },
    close: () => connection.stop(),
  };
}

function redisCli(redis: Config['redis']): string {
  const host = redis.host === '127.0.0.1' || redis.host === 'localhost' ? '' : ` -h ${redis.host}`;
  const [node] = redis.clusterNodes;
  const place = node ? ` -c -h ${node.host} -p ${node.port}` : `${host} -p ${redis.port}`;
  if (redis.sentinels.length > 0) return `(at the primary of ${address(redis)}) redis-cli`;
  const database = redis.db > 0 ? ` -n ${redis.db}` : '';
  const user = redis.username ? ` --user ${redis.username}` : '';
  return `redis-cli${place}${database}${user}${redis.password ? ' --askpass' : ''}${redis.tls ? ' --tls' : ''}`;
}
