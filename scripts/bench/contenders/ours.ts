/** The product as a contender, and its queue from the outside. */
import type { Stand } from '../stand.js';
import { until, type Contender, type Running } from './contender.js';
import { pushMessages } from './messages.js';
import { QUEUE, startOurs, type OursOptions } from './our-supervisor.js';

export const STAGED = 'bench:staged';

export function ours(name: string, { root, queue = QUEUE }: Pick<OursOptions, 'root' | 'queue'> = {}): Contender {
  return {
    name,
    async start(stand, options): Promise<Running> {
      const running = await startOurs(stand, { ...options, root, queue });
      const [pid] = running.pids;
      if (pid === undefined) throw new Error('The supervisor has no worker.');
      return {
        pid,
        prepare: (count) => pushMessages(stand.redis, STAGED, count),
        drain: () => release(stand, queue),
        stop: () => running.stop(),
      };
    },
  };
}

/** One command shows them all. Resolves when all are delivered and settled. */
export async function release(stand: Stand, queue = QUEUE): Promise<void> {
  await stand.redis.rename(STAGED, queue);
  await until(() => isSettled(stand, queue));
}

/** Nothing waits and nothing is in flight. Redis drops empty lists. */
export async function isSettled({ redis }: Stand, queue = QUEUE): Promise<boolean> {
  if ((await redis.exists(queue)) > 0) return false;
  const consumers = await redis.zrange(`{${queue}}:consumers`, '0', '-1');
  const lists = consumers.map((consumer) => `{${queue}}:processing:${consumer}`);
  return lists.length === 0 || (await redis.exists(lists)) === 0;
}

/** Where `release` takes them from. */
export function stage(stand: Stand, count: number, bytes?: number): Promise<void> {
  return pushMessages(stand.redis, STAGED, count, bytes);
}
