/** BullMQ's worker, a process of its own: `node bullmq-process.js <PeerSetup as JSON>`. */
import { Worker } from 'bullmq';
import type { BenchMessage } from './messages.js';
import { createPost, type PeerSetup } from './peer-post.js';

const setup = JSON.parse(process.argv[2] ?? '') as PeerSetup;
const post = createPost(setup);

// Concurrency in one process and jobs removed when done, as its pages on concurrency and auto-removal recommend.
const worker = new Worker<BenchMessage, void>('bench', (job) => post(job.data.message_id), {
  connection: { host: '127.0.0.1', port: setup.redisPort },
  concurrency: setup.concurrency,
  removeOnComplete: { count: 0 },
});
worker.on('error', (error) => console.error(error));
worker.on('failed', (_job, error) => (setup.retries ? undefined : console.error(error)));
await worker.waitUntilReady();
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
