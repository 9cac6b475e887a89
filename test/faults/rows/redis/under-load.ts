import { waitFor } from '../../../support/wait-for.js';
import type { Findings } from '../../support/row.js';
import type { Stage } from '../../support/stage.js';

export const SETTINGS = { WORKER_COUNT: 2, WORKER_CONCURRENCY: 4 };

export async function loaded(stage: Stage, count: number): Promise<void> {
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 20;
  await stage.ledger.produce(count);
  await waitFor(() => stage.server.ledger.posts > 50, { what: 'load' });
}

/** From the end of the fault until each worker has POSTed; messages must be waiting. */
export async function consumesAgain(stage: Stage): Promise<Findings> {
  const endedAt = performance.now();
  return { recoveryMs: (await stage.everyWorkerPosts(endedAt, SETTINGS.WORKER_COUNT)) - endedAt };
}
