/**
 * The first process with a new configuration. It must boot, reach Redis, be ready within 15 s of its activation, and serve
 * for 5 s more before another slot is touched: what a new configuration breaks shows at work, not at the first claim.
 *
 *  - It fails before the hand-over: it is killed, the old set is untouched.
 *  - It fails after the hand-over: a quieted process cannot take up work again, so a fresh process of the OLD configuration
 *    takes the slot back in the same gentle way. The other slots never stopped.
 *  - No worker was ready before the reload (main server or Redis away, or the old configuration is the fault): then the
 *    canary is not asked for more than the old set could do; it need not be ready, only alive.
 */
import type { Config } from '../../src/shared/config/config.js';
import { reasonOf } from '../../src/shared/errors.js';
import { noRoute } from '../../src/shared/words/causes.js';
import { exitInWords } from '../workers/worker-exit.js';
import type { WorkerHandle } from '../workers/worker-handle.js';
import type { WorkerPool } from '../workers/worker-pool.js';
import type { WorkerSlot } from '../workers/worker-slot.js';
import { bootBeside, handOver, ReplacementError, replaceWorker } from './replacement.js';
import { StoppingError } from './stopping-error.js';

export const READY_DEADLINE_MS = 15_000;
const WATCH_MS = 5_000;

/** What the old set did, and the new one must do. */
export interface Demands {
  readonly redis: boolean;
  readonly ready: boolean;
}

interface Order {
  readonly config: Config;
  readonly demands: Demands;
}

/** Resolves to the canary, at work in the slot. Rejects with ReplacementError or StoppingError. */
export async function sendCanary(pool: WorkerPool, slot: WorkerSlot, order: Order): Promise<WorkerHandle> {
  const { config, demands } = order;
  const old = pool.config;
  const canary = await bootBeside(pool, slot, config);
  if (demands.redis && !canary.redisReached) {
    canary.kill();
    throw new ReplacementError(
      `${canary.title} cannot reach Redis at ${config.redis.host}:${config.redis.port} with the new configuration. The old workers serve on.`,
    );
  }
  if (!canary.hasRoute && routeOf(config) !== routeOf(old)) {
    canary.kill();
    const { url, deliverEndpoint } = config.mainServer;
    throw new ReplacementError(`${canary.title}: ${noRoute(url, deliverEndpoint)}. The old workers serve on.`);
  }
  await handOver(pool, slot, canary);
  const fault = await faultAtWork(pool, canary, demands);
  if (fault === undefined) return canary;
  if (pool.stopping) throw new StoppingError();
  await takeBack(pool, slot, { canary, old, fault });
  throw new ReplacementError(`${canary.title} ${fault}. The old configuration serves on.`);
}

/** Where messages are POSTed to. One that has not changed is not held against the new configuration. */
function routeOf({ mainServer }: Config): string {
  return mainServer.url + mainServer.deliverEndpoint;
}

/** To stand after its name; undefined = it is good. */
async function faultAtWork(pool: WorkerPool, canary: WorkerHandle, demands: Demands): Promise<string | undefined> {
  const isAtWork = (): boolean => canary.beat !== undefined && (!demands.ready || canary.isConsuming);
  if (!(await canary.until(isAtWork, READY_DEADLINE_MS))) {
    return canary.stage === 'gone' ? exitInWords(canary) : `is not ready after 15 s (${reasonsOf(canary)})`;
  }
  await canary.until(() => canary.stage !== 'active', WATCH_MS);
  if (canary.stage !== 'active') return `${exitInWords(canary)} in its first ${WATCH_MS / 1000} s at work`;
  // When the others are as badly off, it is not the new configuration's fault.
  const othersTake = pool.slots.some(({ current }) => current !== canary && current?.isConsuming);
  if (!demands.ready || canary.isConsuming || !othersTake) return undefined;
  return `was ready and is not any more after ${WATCH_MS / 1000} s (${reasonsOf(canary)})`;
}

function reasonsOf({ beat, isSilent }: WorkerHandle): string {
  if (isSilent) return 'its work loop is silent';
  return beat?.reasons.join('; ') || 'it gave no reason';
}

/** The canary took the slot and is no good: the old configuration gets it back. */
async function takeBack(
  pool: WorkerPool,
  slot: WorkerSlot,
  { canary, old, fault }: { readonly canary: WorkerHandle; readonly old: Config; readonly fault: string },
): Promise<void> {
  try {
    // When the canary died, the pool has started a process of the old configuration already, or is about to.
    if (slot.current === canary && canary.stage !== 'gone') await replaceWorker(pool, slot, old);
  } catch (error) {
    if (error instanceof StoppingError) throw error;
    throw new ReplacementError(
      `${canary.title} ${fault}, and no process of the old configuration could take its place: ${reasonOf(error)}`,
    );
  }
}
