/**
 * Gives one slot a fresh process without a gap: the new process boots beside the old one → the old one is told to be quiet
 * and frees its port → the new one takes slot and port and claims → the old one drains. Claiming pauses only between
 * `quieted` and `activate`. Until `quiet` nothing has changed, so a new process that does not boot costs nothing.
 */
import type { Config } from '../../src/shared/config/config.js';
import { BrokerError } from '../../src/shared/errors.js';
import { exitInWords } from '../workers/worker-exit.js';
import type { WorkerHandle } from '../workers/worker-handle.js';
import type { WorkerPool } from '../workers/worker-pool.js';
import type { WorkerSlot } from '../workers/worker-slot.js';
import { StoppingError } from './stopping-error.js';

const QUIET_DEADLINE_MS = 5_000;
/** The pool ends a process that does not boot, however slow the host is; this only keeps a wait from being endless. */
const LONGEST_BOOT_MS = 86_400_000;

/** A new process did not take over. `message` says why and what serves now. */
export class ReplacementError extends BrokerError {
  constructor(message: string) {
    super('E_REPLACEMENT', message);
  }
}

/** Resolves to the new one. Rejects with ReplacementError: the slot is served all the same; or with StoppingError. */
export async function replaceWorker(pool: WorkerPool, slot: WorkerSlot, config: Config): Promise<WorkerHandle> {
  const incoming = await bootBeside(pool, slot, config);
  await handOver(pool, slot, incoming);
  return incoming;
}

/** As above. */
export async function bootBeside(pool: WorkerPool, slot: WorkerSlot, config: Config): Promise<WorkerHandle> {
  if (wasGivenUp(pool, slot)) throw new ReplacementError(`${titleOf(slot)} is one too many now; it stops.`);
  if (pool.stopping) throw new StoppingError();
  const incoming = pool.forkIncoming(slot, config);
  await incoming.until(() => incoming.hasBooted || incoming.bootFailure !== undefined, LONGEST_BOOT_MS);
  if (incoming.stage === 'standby') return incoming;

  incoming.kill();
  if (pool.stopping) throw new StoppingError();
  throw new ReplacementError(`${incoming.title} ${exitInWords(incoming)}. The old worker serves on.`);
}

/** As above. */
export async function handOver(pool: WorkerPool, slot: WorkerSlot, incoming: WorkerHandle): Promise<void> {
  const old = slot.current;
  pool.quiet(slot);
  // An old process that does not answer is given up by the hand-over all the same: it drains or gets SIGKILL.
  await old?.until(() => old.stage !== 'active', QUIET_DEADLINE_MS);
  if (pool.stopping) throw new StoppingError();
  if (slot.incoming !== incoming || incoming.stage !== 'standby') {
    // It died while the old one was quieted: the slot is empty now, and the pool fills it at once.
    pool.retire(slot);
    throw new ReplacementError(`${incoming.title} ${exitInWords(incoming)} before it could take over.`);
  }
  pool.promote(slot);
}

/** Fewer workers are wanted than before. */
export function wasGivenUp(pool: WorkerPool, slot: WorkerSlot): boolean {
  return !pool.stopping && !pool.isWanted(slot);
}

export function titleOf(slot: WorkerSlot): string {
  return slot.current?.title ?? `Worker ${slot.number}`;
}
