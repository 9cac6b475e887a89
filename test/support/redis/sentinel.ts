import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findRedis } from '../../../scripts/local/find-redis.js';
import { freePort } from '../free-port.js';

interface SentinelOptions {
  /** Its own is made in it. */
  readonly folder: string;
  /** HOST PORT QUORUM of the `main` that it watches. */
  readonly watched: string;
  /** Of its configuration, before the watching: at least its port. */
  readonly settings: (port: number) => readonly string[];
  /** After the test. */
  readonly undo: (close: () => Promise<unknown>) => void;
}

/** One Sentinel; returns its port, maybe before it listens. */
export async function startSentinel({ folder, watched, settings, undo }: SentinelOptions): Promise<number> {
  const { path } = await findRedis({ install: false });
  const port = await freePort();
  const directory = join(folder, `sentinel-${port}`);
  mkdirSync(directory);
  const file = join(directory, 'sentinel.conf');
  const lines = [
    ...settings(port),
    'bind 127.0.0.1',
    `dir ${directory}`,
    `sentinel monitor main ${watched}`,
    'sentinel down-after-milliseconds main 1000',
    'sentinel failover-timeout main 6000',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = spawn(path, [file, '--sentinel'], { stdio: 'ignore' });
  undo(async () => {
    const exited = once(child, 'exit');
    if (child.kill('SIGKILL')) await exited;
  });
  return port;
}
