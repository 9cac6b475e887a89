import { freePorts as freePortsIn, PORTS, type PortRange } from '../../scripts/local/free-port.js';

const SLICES = 4;

/**
 * Files that are tested at the same time look in different slices: what one has found free, and whose program does not listen
 * there yet, the other would find free, too.
 */
function sliceOfThis(): PortRange {
  const slice = Number(process.env['VITEST_POOL_ID'] ?? 0) % SLICES;
  const width = Math.floor((PORTS.highest + 1 - PORTS.lowest) / SLICES);
  const lowest = PORTS.lowest + slice * width;
  return { lowest, highest: lowest + width - 1 };
}

export const freePorts = (count: number): Promise<number> => freePortsIn(count, sliceOfThis());

export const freePort = (): Promise<number> => freePorts(1);
