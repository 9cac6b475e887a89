import type { Fleet } from '../../../support/program/fleet.js';

export const CONCURRENCY = 4;
export const SETTINGS = { WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY, WORKER_RETRY_INTERVAL: 3 };

export function failuresIn(fleet: Fleet): number {
  return fleet.logged().match(/delivery failed, will retry/g)?.length ?? 0;
}
