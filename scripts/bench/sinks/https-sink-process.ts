/** The sink where there is no nginx: `node https-sink-process.js <SinkSetup as JSON>`. Tells its port, then counts. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface SinkSetup {
  readonly caCert: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly failHalf: boolean;
}

const setup = JSON.parse(process.argv[2] ?? '') as SinkSetup;
let requests = 0;

const server = createServer(
  {
    ca: readFileSync(setup.caCert),
    cert: readFileSync(setup.serverCert),
    key: readFileSync(setup.serverKey),
    requestCert: true,
    rejectUnauthorized: true,
  },
  (request, response) => {
    requests += 1;
    const fails = setup.failHalf && request.method === 'POST' && requests % 2 === 0;
    request.resume();
    response.writeHead(fails ? 500 : 200, { 'content-type': 'application/json' }).end('{"status":"ok"}');
  },
);
server.keepAliveTimeout = 300_000;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('message', () => process.send?.(requests));
process.on('disconnect', () => process.exit(0));
