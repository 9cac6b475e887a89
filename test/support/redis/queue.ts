import type { Redis } from 'ioredis';
import { FleetSeat } from '../../../src/domain/flow/fleet-share.js';
import type { Claim, Settlement } from '../../../src/queue/message-queue.js';
import { RedisQueue, type RedisQueueEvents } from '../../../src/queue/claims/claims-and-settlements.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { systemRandom } from '../../../src/shared/time/random.js';
import type { Config } from '../../../src/shared/config/config.js';
import { testConfig } from '../program/config.js';
import { HANGS_MS } from '../wait-for.js';

export const QUEUE = 'message_queue';

export function redisConfig(port: number, overrides: Partial<Config['redis']> = {}): Config['redis'] {
  return testConfig({ redis: { port, ...overrides } }).redis;
}

export function queueConfig(overrides: Partial<Config['queue']> = {}): Config['queue'] {
  return testConfig({ queue: { name: QUEUE, ...overrides } }).queue;
}

export interface QueueOptions {
  readonly redis?: Partial<Config['redis']>;
  readonly reliable?: boolean;
  readonly name?: string;
  readonly sideBooksMaxBytes?: number;
  readonly fleet?: FleetSeat;
  readonly rate?: number;
  readonly events?: Partial<RedisQueueEvents>;
  readonly onPauseSeen?: (isPaused: boolean) => void;
}

let incarnations = 0;

/** A ready queue of its own consumer. The caller stops it. */
export async function openQueue(port: number, workerId?: string, options?: QueueOptions): Promise<RedisQueue> {
  const queue = queueOf(port, workerId, options);
  queue.start();
  await queue.whenReady(HANGS_MS);
  return queue;
}

/** Not started. */
export function queueOf(port: number, workerId = 'worker-1', options: QueueOptions = {}): RedisQueue {
  incarnations += 1;
  return new RedisQueue({
    config: {
      redis: redisConfig(port, options.redis),
      queue: queueConfig({
        name: options.name ?? QUEUE,
        reliable: options.reliable ?? true,
        ...(options.sideBooksMaxBytes === undefined ? {} : { sideBooksMaxBytes: options.sideBooksMaxBytes }),
      }),
    },
    workerId,
    nonce: `n${incarnations}`,
    clock: systemClock,
    random: systemRandom,
    rate: options.rate ?? 0,
    fleet: options.fleet ?? new FleetSeat(),
    events: { onConnected: ignore, onDisconnected: ignore, onLeaseLost: ignore, ...options.events },
    onPauseSeen: options.onPauseSeen ?? ignore,
  });
}

export function message(id: string, attemptCount = 0): string {
  return JSON.stringify({ message_id: id, attempt_count: attemptCount });
}

/** Claims up to `want` and settles nothing. */
export async function claim(queue: RedisQueue, want: number): Promise<readonly Claim[]> {
  return (await queue.exchange({ settlements: [], want, inFlight: 0 })).claims;
}

export async function settle(queue: RedisQueue, ...settlements: Settlement[]) {
  return queue.exchange({ settlements, want: 0, inFlight: 0 });
}

interface Places {
  readonly waiting: string[];
  readonly processing: string[];
  readonly retry: string[];
  readonly dead: string[];
}

/** Every message Redis holds, by place; the oldest waiting one last. */
export async function places(client: Redis, name = QUEUE): Promise<Places> {
  const lists = await client.keys(`{${name}}:processing:*`);
  const processing = (await Promise.all(lists.map((key) => client.lrange(key, 0, -1)))).flat();
  const members = await client.zrange(`{${name}}:retry`, '0', '-1');
  const retry = members.map((member) => member.slice(member.indexOf(':') + 1));
  return {
    waiting: await client.lrange(name, 0, -1),
    processing,
    retry,
    dead: await deadLetters(client, name),
  };
}

/** The envelopes, the newest first, then those in the list of earlier versions. */
async function deadLetters(client: Redis, name: string): Promise<string[]> {
  const lines = await client.zrevrange(`{${name}}:dead:index`, 0, -1);
  const letters = await Promise.all(
    lines.map((line) => client.hget(`{${name}}:dead:letters`, line.split(' ')[0] ?? '')),
  );
  return [...letters.map((letter) => letter ?? ''), ...(await client.lrange(`{${name}}:dead`, 0, -1))];
}

/** How many there are. */
export async function countDead(client: Redis, name = QUEUE): Promise<number> {
  return (await client.zcard(`{${name}}:dead:index`)) + (await client.llen(`{${name}}:dead`));
}

function ignore(): void {}
