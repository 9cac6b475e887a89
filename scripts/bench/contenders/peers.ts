/** Those we are compared with, each in a process of its own. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import { endByDisconnect, endWithUs, firstMessage } from '../../local/child-process.js';
import type { Stand } from '../stand.js';
import { profileArguments, until, type Contender, type ContenderOptions } from './contender.js';
import { message, MESSAGE_BYTES } from './messages.js';
import type { PeerSetup } from './peer-post.js';

const ADD_AT_ONCE = 1_000;
/** What this worker does with a failure, in BullMQ's terms. */
const RETRIES = { attempts: 10_000, backoff: { type: 'fixed', delay: 30_000 } };
const LISTS = ['bull:bench:wait', 'bull:bench:active', 'bull:bench:paused'];

export const bullmq: Contender = {
  name: 'BullMQ',
  async start(stand, options) {
    const child = await startPeer('bullmq-process.js', stand, options);
    const queue = new Queue('bench', { connection: { host: '127.0.0.1', port: stand.redisPort } });
    queue.on('error', () => undefined); // what it was asked rejects by itself
    return {
      pid: child.pid ?? 0,
      async prepare(count) {
        await queue.pause();
        for (let added = 0; added < count; added += ADD_AT_ONCE) {
          const jobs = Array.from({ length: Math.min(ADD_AT_ONCE, count - added) }, () => message(MESSAGE_BYTES));
          const opts = options.retries ? RETRIES : {};
          await queue.addBulk(jobs.map((data) => ({ name: 'message', data, opts })));
        }
      },
      async drain() {
        await queue.resume();
        // Redis drops empty lists
        await until(async () => (await stand.redis.exists(LISTS)) === 0);
      },
      async stop() {
        await endByDisconnect(child);
        await queue.close();
      },
    };
  },
};

export const bareLoop: Contender = {
  name: 'bare undici loop',
  async start(stand, options) {
    const child = await startPeer('bare-loop-process.js', stand, options);
    const ask = async (question: number | 'go') => {
      const answer = once(child, 'message');
      child.send(question);
      await answer;
    };
    return { pid: child.pid ?? 0, prepare: ask, drain: () => ask('go'), stop: () => endByDisconnect(child) };
  },
};

async function startPeer(
  script: string,
  stand: Stand,
  { concurrency, profileFolder, url, retries = false }: ContenderOptions,
): Promise<ChildProcess> {
  const { redisPort, sink, certificates } = stand;
  const { caCert, workerCert, workerKey } = certificates;
  const setup: PeerSetup = { redisPort, url: url ?? sink.url, caCert, workerCert, workerKey, concurrency, retries };
  const child = fork(join(packageRoot, 'dist', 'scripts', 'bench', 'contenders', script), [JSON.stringify(setup)], {
    execArgv: profileArguments(profileFolder),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  endWithUs(child);
  await firstMessage(child, script);
  return child;
}
