import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Both ends belong to it. */
export interface PortRange {
  readonly lowest: number;
  readonly highest: number;
}

/**
 * Below the ports that an outgoing connection may be given: from 32,768 on Linux, from 49,152 by IANA, on macOS and on
 * Windows. A port from there can be gone as soon as anybody on this machine connects to anything.
 */
export const PORTS: PortRange = { lowest: 10_240, highest: 32_767 };
const TRIES = 200;

/**
 * The first of `count` neighbouring TCP ports that were free a moment ago. Another process may take one all the same:
 * whoever listens there must retry or say so.
 */
export async function freePorts(count: number, { lowest, highest }: PortRange = PORTS): Promise<number> {
  for (let tries = 1; tries <= TRIES; tries++) {
    const first = randomInt(lowest, highest + 2 - count);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first;
  }
  throw new Error(`Found no ${count} free ports in a row between ${lowest} and ${highest}.`);
}

export const freePort = (): Promise<number> => freePorts(1);

/** On every address of this machine. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host: '0.0.0.0', port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
