/** No queue, no log, no metrics: `concurrency` loops that POST. `node bare-loop-process.js <PeerSetup as JSON>`. */
import { randomUUID } from 'node:crypto';
import { createPost, type PeerSetup } from './peer-post.js';

const setup = JSON.parse(process.argv[2] ?? '') as PeerSetup;
const post = createPost(setup);

async function postAll(ids: readonly string[]): Promise<void> {
  const left = ids.values();
  const loop = async () => {
    for (const id of left) await post(id);
  };
  await Promise.all(Array.from({ length: setup.concurrency }, loop));
  process.send?.('done');
}

let ids: readonly string[] = [];
process.on('message', (count: number | 'go') => {
  if (count === 'go') return void postAll(ids);
  ids = Array.from({ length: count }, () => randomUUID());
  process.send?.('prepared');
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
