import { performance } from 'node:perf_hooks';

/**
 * For how long this process's event loop has had work, in ms since its start. What waits for its turn on a processor that
 * others hold counts as work, as it must: an answer waits as long.
 */
export function loopBusyMs(): number {
  return performance.eventLoopUtilization().active;
}
