import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import { variable, type Variables } from './layers/environment.js';

/**
 * Where pidfile and socket live unless SUPERVISOR_RUNTIME_DIR says so. Below the shared temporary folder the name holds
 * the user's id: two users must not meet in one directory.
 */
export function defaultRuntimeDirectory(env: Variables): string {
  const runtime = variable(env, 'XDG_RUNTIME_DIR');
  if (runtime !== undefined) return join(runtime, 'message-broker-worker');
  return join(tmpdir(), `message-broker-worker-${process.getuid?.() ?? userInfo().username}`);
}
