import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort } from './free-port.js';

const TRIES = 50;

/** The first of `count` TCP ports in a row on 127.0.0.1 that were free a moment ago: workers count up from it. */
export async function freePortsInARow(count: number): Promise<number> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const first = await freePort();
    if (first + count <= 65_536 && (await areFree(first, count))) return first;
  }
  throw new Error(`Found no ${count} free ports in a row on 127.0.0.1.`);
}

async function areFree(first: number, count: number): Promise<boolean> {
  for (let port = first; port < first + count; port++) if (!(await isFree(port))) return false;
  return true;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = await new Promise<boolean>((resolve) => {
    server.once('listening', () => resolve(true)).once('error', () => resolve(false));
    server.listen(port, '127.0.0.1');
  });
  if (!listening) return false;
  server.close();
  await once(server, 'close');
  return true;
}
