/** Row 12: kill -9 of the primary. */
import type { Fleet } from '../../../support/program/fleet.js';
import { idOf } from '../../../support/ledger.js';
import { waitFor } from '../../../support/wait-for.js';
import { BLOCK_EVENT_LOOP, provocable } from '../../support/provoked.js';
import type { Findings, Row } from '../../support/row.js';
import { pidOf, pidsOf, sendSignal, type Stage } from '../../support/stage.js';

const CONCURRENCY = 4;

export const PRIMARY_ROWS: readonly Row[] = [
  {
    id: '12a',
    fault: 'kill -9 of the primary; one worker busy, one with a blocked loop',
    bound: 'no process alive after 15 s, claims tried again < 2 s after the next start, dup ≤ N·C (8)',
    limits: { recoveryMs: 15_000, duplicates: 2 * CONCURRENCY },
    alone: true,
    run: killPrimary,
  },
  {
    id: '12b',
    fault: 'kill -9 of primary and workers, a new primary at once',
    bound: 'claims tried again < 2 s after the new one starts, dup ≤ N·C (8)',
    limits: { recoveryMs: 2_000, duplicates: 2 * CONCURRENCY },
    alone: true,
    run: killEverything,
  },
];

async function killPrimary(stage: Stage): Promise<Findings> {
  const settings = { WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY };
  const fleet = await stage.start(settings, { env: provocable(stage) });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 200;
  await stage.ledger.produce(400);
  const blocked = await pidOf(fleet, 'worker-1');
  await waitFor(() => stage.openPosts().length === 2 * CONCURRENCY, { what: 'busy workers' });
  const first = fleet.program;
  sendSignal(blocked, BLOCK_EVENT_LOOP);
  const killedAt = performance.now();
  sendSignal(first.pid, 'SIGKILL');
  const nobody = () => first.exit !== undefined && first.descendants().length === 0;
  await waitFor(nobody, { what: 'the orphans to end', deadlineMs: 20_000 });
  const recoveryMs = performance.now() - killedAt;
  stage.expect(/The supervisor is gone; finishing/.test(fleet.logged()), 'the busy worker did not finish by itself');
  stage.server.faults.post.delayMs = 0;
  const backMs = await restartAfterKill(stage, fleet);
  stage.expect(backMs < 2_000, `the claims were tried again after ${backMs.toFixed(0)} ms`);
  return { recoveryMs, note: `claims tried again after ${(backMs / 1_000).toFixed(2)} s` };
}

async function killEverything(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 200;
  await stage.ledger.produce(100);
  const pids = await pidsOf(fleet);
  await waitFor(() => stage.openPosts().length === 2 * CONCURRENCY, { what: 'busy workers' });
  for (const pid of [fleet.program.pid, ...pids]) sendSignal(pid, 'SIGKILL');
  await fleet.program.waitForExit();
  stage.server.faults.post.delayMs = 0;
  return { recoveryMs: await restartAfterKill(stage, fleet) };
}

/** Starts the next supervisor; resolves to the ms until every claim of the dead ones is POSTed again. */
async function restartAfterKill(stage: Stage, fleet: Fleet): Promise<number> {
  const claims = (await stage.ledger.snapshot()).processing.map(idOf);
  stage.expect(claims.length >= CONCURRENCY, `only ${claims.length} claims were left behind`);
  const startedAt = performance.now();
  fleet.startAgain();
  const backMs = (await stage.postedAgain(claims, startedAt)) - startedAt;
  await stage.expectFirstAttempt(fleet, claims);
  return backMs;
}
