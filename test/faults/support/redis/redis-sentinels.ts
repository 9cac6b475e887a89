import { plainClient } from '../../../support/redis/redis.js';
import { startSentinel } from '../../../support/redis/sentinel.js';
import { waitFor } from '../../../support/wait-for.js';
import type { Stage } from '../stage.js';

const QUORUM = 2;

/** Three sentinels that watch `main`; resolves to their ports when they know each other and both replicas. */
export async function startSentinels(stage: Stage, masterPort: number): Promise<number[]> {
  const ports: number[] = [];
  for (let number = 1; number <= 3; number++) {
    const port = await startSentinel({
      folder: stage.folder,
      watched: `127.0.0.1 ${masterPort} ${QUORUM}`,
      settings: (own) => [`port ${own}`],
      undo: (close) => stage.onClose(close),
    });
    ports.push(port);
  }
  for (const port of ports) await waitUntilComplete(stage, port);
  return ports;
}

async function waitUntilComplete(stage: Stage, port: number): Promise<void> {
  const client = plainClient(port);
  stage.onClose(async () => client.disconnect());
  const isComplete = async () => {
    const info = await client.info('sentinel').catch(() => '');
    return /slaves=2,sentinels=3/.test(info);
  };
  await waitFor(isComplete, { what: 'the sentinels to find each other', deadlineMs: 30_000 });
}
