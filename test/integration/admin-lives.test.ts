/** Both ends at which the supervisor is asked have the one shape of everything with a life. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { systemClock } from '../../src/shared/time/clock.js';
import { createAdminServer } from '../../supervisor/admin/tcp-server.js';
import { createControlSocket } from '../../supervisor/admin/unix-socket.js';
import { conformsToLife } from '../support/life.js';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

let holder: Server;
let folder: string;

beforeAll(async () => {
  holder = createServer().listen(0, 'localhost');
  await once(holder, 'listening');
  folder = mkdtempSync(join(tmpdir(), 'admin-'));
  writeFileSync(join(folder, 'no-folder'), '');
});
afterAll(async () => {
  holder.close();
  await once(holder, 'close');
  rmSync(folder, { recursive: true, force: true });
});

// by name: it is looked up first, which takes longer than a stop in the middle of it
const onTcp = (port: number) =>
  createAdminServer({ host: 'localhost', port, adminToken: () => '', routes: [], log, clock: systemClock });
const onSocket = (path: string) => createControlSocket({ path, routes: [], log, clock: systemClock });

conformsToLife({
  name: 'the admin server on TCP',
  make: () => onTcp(0),
  makeFailing: () => onTcp((holder.address() as AddressInfo).port),
});

conformsToLife({
  name: 'the control socket',
  make: () => onSocket(join(folder, 'supervisor.sock')),
  // not even root can make a file in what is no folder
  makeFailing: () => onSocket(join(folder, 'no-folder', 'supervisor.sock')),
});
