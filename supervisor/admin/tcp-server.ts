/**
 * The supervisor's HTTP server on TCP. What can be read is open to whoever may connect; the rest needs the token.
 *
 * A taken port is no reason to stop delivering: it is an ERROR that names the port, and is tried again every 5 s.
 */
import type { AddressInfo } from 'node:net';

import { PAGE_EVERY_MS } from '../../src/shared/http/shared-page.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import { checkAccess } from './access.js';
import { createFront } from './front.js';
import { Listener } from './listener.js';
import { operatorOverTcp } from './request.js';
import type { Route } from './route.js';

interface AdminServerOptions {
  readonly host: string;
  readonly port: number;
  readonly adminToken: () => string;
  readonly routes: readonly Route[];
  readonly log: Log;
  readonly clock: Clock;
}

/** A page and its files are some 30 requests; a browser opens 6 connections, and one more for its events. */
const LIMITS = { perPeer: 50, inAll: 100, perSecond: 100 };

export function createAdminServer(options: AdminServerOptions): Listener {
  const { host, port, adminToken, routes, log, clock } = options;
  const server = createFront({
    routes,
    check: (route, { headers }) => checkAccess(route, headers, { bindHost: host, adminToken: adminToken() }),
    operatorOf: operatorOverTcp,
    limits: LIMITS,
    pageEveryMs: PAGE_EVERY_MS,
    log,
    clock,
  });
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return new Listener({
    server,
    listen: () => server.listen({ host, port }),
    onListening: () => log.info(`Supervisor listens on http://${shownHost}:${(server.address() as AddressInfo).port}`),
    trouble: (error) =>
      error.code === 'EADDRINUSE'
        ? `Port ${port} on ${host} (SUPERVISOR_PORT) is taken by another program; health, status and metrics cannot be read.`
        : `The supervisor cannot listen on ${host}:${port} (SUPERVISOR_HOST, SUPERVISOR_PORT): ${error.message}.`,
    log,
    clock,
  });
}
