import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findRedis } from '../../../../scripts/local/find-redis.js';
import { freePort } from '../../../support/free-port.js';
import { plainClient } from '../../../support/redis/redis.js';
import { waitFor } from '../../../support/wait-for.js';
import type { Stage } from '../stage.js';

const QUORUM = 2;

/** Three sentinels that watch `main`; resolves to their ports when they know each other and both replicas. */
export async function startSentinels(stage: Stage, masterPort: number): Promise<number[]> {
  const { path } = await findRedis({ install: false });
  const ports: number[] = [];
  for (let number = 1; number <= 3; number++) ports.push(await startSentinel(stage, path, masterPort));
  for (const port of ports) await waitUntilComplete(stage, port);
  return ports;
}

async function startSentinel(stage: Stage, path: string, masterPort: number): Promise<number> {
  const port = await freePort();
  const directory = join(stage.folder, `sentinel-${port}`);
  mkdirSync(directory);
  const file = join(directory, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    `sentinel monitor main 127.0.0.1 ${masterPort} ${QUORUM}`,
    'sentinel down-after-milliseconds main 1000',
    'sentinel failover-timeout main 6000',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = spawn(path, [file, '--sentinel'], { stdio: 'ignore' });
  stage.onClose(async () => {
    const exited = once(child, 'exit');
    if (child.kill('SIGKILL')) await exited;
  });
  return port;
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
