import { join } from 'node:path';

import type { Config } from '../../src/shared/config/config.js';

/** Where the supervisor of an instance has its control socket: beside the pidfile; on Windows a named pipe. */
export function controlSocketPath({ runtimeDir, port }: Pick<Config['supervisor'], 'runtimeDir' | 'port'>): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\message-broker-worker-${port}`;
  return join(runtimeDir, `supervisor-${port}.sock`);
}
