/**
 * Replaces working processes without a gap.
 *
 * One slot: the new process boots beside the old one → the old one is told to be quiet and frees its port → the new one
 * takes slot and port and claims → the old one drains. Claiming pauses only between `quieted` and `activate`. Until
 * `quiet` nothing has changed, so a new process that does not boot costs nothing.
 *
 * A whole set, for a reload: slot 1 first, as the canary. It must boot, reach Redis, and be ready within 15 s of its
 * activation before another slot is touched.
 *  - It fails before the hand-over: it is killed, the old set is untouched.
 *  - It fails after the hand-over: a quieted process cannot take up work again, so a fresh process of the OLD configuration
 *    takes the slot back in the same gentle way. The other slots never stopped.
 *  - No worker was ready before the reload (main server or Redis away, or the old configuration is the fault): then the
 *    canary is not asked for more than the old set could do; it need not be ready, only alive.
 * From the canary's success on, the new configuration is the one that restarts use. A later slot whose new process does not
 * boot keeps its old process; the reload stops there and says so.
 */
import type { Config } from '../../src/shared/config/config.js';
import { BrokerError, reasonOf } from '../../src/shared/errors.js';
import type { Log } from '../../src/shared/logger/log.js';
import { noRoute } from '../../src/shared/words/causes.js';
import { BOOT_LIMIT_MS, type WorkerHandle } from '../workers/worker-handle.js';
import { exitInWords } from '../workers/worker-exit.js';
import type { WorkerPool } from '../workers/worker-pool.js';
import type { WorkerSlot } from '../workers/worker-slot.js';

const QUIET_DEADLINE_MS = 5_000;
const READY_DEADLINE_MS = 15_000;

/** A new process did not take over. `message` says why and what serves now. */
export class ReplacementError extends BrokerError {
  constructor(message: string) {
    super('E_REPLACEMENT', message);
  }
}

interface Demands {
  readonly redis: boolean;
  readonly ready: boolean;
}

/** Gives one slot a fresh process. Rejects with ReplacementError; the slot is served all the same. */
export async function replaceWorker(pool: WorkerPool, slot: WorkerSlot, config: Config): Promise<void> {
  const incoming = await bootBeside(pool, slot, config);
  await handOver(pool, slot, incoming);
}

/**
 * Replaces every worker by one with `config`, and makes it the pool's. Resolves to what stopped it, if something did;
 * `pool.config` tells whether that was before the canary's success or after it.
 */
export async function rollingRestart(
  pool: WorkerPool,
  config: Config,
  log: Log,
): Promise<ReplacementError | undefined> {
  try {
    await replaceAll(pool, config, log);
    return undefined;
  } catch (error) {
    if (error instanceof ReplacementError) return error;
    throw error;
  }
}

async function replaceAll(pool: WorkerPool, config: Config, log: Log): Promise<void> {
  const demands = whatTheOldSetDoes(pool);
  const [canary] = pool.slots;
  if (canary) await sendCanary(pool, canary, { config, demands });

  pool.adopt(config);
  for (const slot of pool.slots.slice(1)) {
    if (!pool.isWanted(slot) || slot.current?.config === config) continue;
    try {
      await replaceWorker(pool, slot, config);
    } catch (error) {
      if (wasGivenUp(pool, slot)) continue;
      throw new ReplacementError(
        `${reasonOf(error)} The workers before it have the new configuration, it and those after it still the old one.`,
      );
    }
    if (demands.ready && !(await isReadyInTime(slot))) log.warn(`${titleOf(slot)} is not ready after 15 s; going on`);
  }
  if (pool.stopping) throw new ReplacementError('The supervisor is stopping.');
}

async function sendCanary(
  pool: WorkerPool,
  slot: WorkerSlot,
  { config, demands }: { readonly config: Config; readonly demands: Demands },
): Promise<void> {
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
  const wanted = (): boolean => !demands.ready || canary.isConsuming;
  if (await canary.until(() => canary.beat !== undefined && wanted(), READY_DEADLINE_MS)) return;
  await takeBack(pool, slot, { canary, old });
}

/** Where messages are POSTed to. One that has not changed is not held against the new configuration. */
function routeOf({ mainServer }: Config): string {
  return mainServer.url + mainServer.deliverEndpoint;
}

/** The canary took the slot and is no good: the old configuration gets it back. */
async function takeBack(
  pool: WorkerPool,
  slot: WorkerSlot,
  { canary, old }: { readonly canary: WorkerHandle; readonly old: Config },
): Promise<void> {
  const why =
    canary.stage === 'gone'
      ? exitInWords(canary)
      : `is not ready after ${READY_DEADLINE_MS / 1000} s (${canary.beat?.reasons.join('; ') || 'it gave no reason'})`;
  if (pool.stopping) throw new ReplacementError('The supervisor is stopping.');
  try {
    // When the canary died, the pool has started a process of the old configuration already, or is about to.
    if (slot.current === canary && canary.stage !== 'gone') await replaceWorker(pool, slot, old);
  } catch (error) {
    throw new ReplacementError(
      `${canary.title} ${why}, and no process of the old configuration could take its place: ${reasonOf(error)}`,
    );
  }
  throw new ReplacementError(`${canary.title} ${why}. The old configuration serves on.`);
}

async function bootBeside(pool: WorkerPool, slot: WorkerSlot, config: Config): Promise<WorkerHandle> {
  if (wasGivenUp(pool, slot)) throw new ReplacementError(`${titleOf(slot)} is one too many now; it stops.`);
  if (pool.stopping) throw new ReplacementError('The supervisor is stopping.');
  const incoming = pool.forkIncoming(slot, config);
  const isSettled = (): boolean => incoming.hasBooted || incoming.bootFailure !== undefined;
  await incoming.until(isSettled, BOOT_LIMIT_MS);
  if (incoming.stage === 'standby') return incoming;

  const why =
    incoming.bootFailure || incoming.stage === 'gone'
      ? exitInWords(incoming)
      : `did not boot within ${BOOT_LIMIT_MS / 1000} s`;
  incoming.kill();
  throw new ReplacementError(`${incoming.title} ${why}. The old worker serves on.`);
}

async function handOver(pool: WorkerPool, slot: WorkerSlot, incoming: WorkerHandle): Promise<void> {
  const old = slot.current;
  old?.quiet();
  // An old process that does not answer is given up by the hand-over all the same: it drains or gets SIGKILL.
  await old?.until(() => old.stage !== 'active', QUIET_DEADLINE_MS);
  if (slot.incoming !== incoming || incoming.stage !== 'standby') {
    // It died while the old one was quieted: the slot is empty now, and the pool fills it at once.
    pool.retire(slot);
    throw new ReplacementError(`${incoming.title} ${exitInWords(incoming)} before it could take over.`);
  }
  pool.promote(slot);
}

/** Fewer workers are wanted than before. */
function wasGivenUp(pool: WorkerPool, slot: WorkerSlot): boolean {
  return !pool.stopping && !pool.isWanted(slot);
}

function whatTheOldSetDoes(pool: WorkerPool): Demands {
  const working = pool.slots.map((slot) => slot.current).filter((handle) => handle !== undefined);
  return {
    redis: working.some((handle) => handle.beat?.redisUp),
    ready: working.some((handle) => handle.isConsuming),
  };
}

async function isReadyInTime(slot: WorkerSlot): Promise<boolean> {
  const handle = slot.current;
  return handle === undefined || handle.until(() => handle.isConsuming, READY_DEADLINE_MS);
}

function titleOf(slot: WorkerSlot): string {
  return slot.current?.title ?? `Worker ${slot.number}`;
}
