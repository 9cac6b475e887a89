/** Row 6: kill -9 of all workers at once, and of one after the other for a minute. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from '../../support/program/fleet.js';
import { waitFor } from '../../support/wait-for.js';
import type { Findings, Row } from '../support/row.js';
import { pidsOf, sendSignal, type Stage } from '../support/stage.js';

const CONCURRENCY = 4;

export const MASS_KILL_ROWS: readonly Row[] = [
  {
    id: '6a',
    fault: 'kill -9 of all 3 workers at once, under load',
    bound: 'all ready < 3 s, dup ≤ 3·C (12)',
    limits: { recoveryMs: 3_000, duplicates: 3 * CONCURRENCY },
    alone: true,
    run: killAll,
  },
  {
    id: '6b',
    fault: '100 kill -9 at random moments in 60 s, under load',
    bound: '0 lost, dup ≤ kills·C',
    run: killHundred,
  },
];

async function killAll(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 3, WORKER_CONCURRENCY: CONCURRENCY });
  await fleet.ready(3);
  stage.server.faults.post.delayMs = 20;
  const load = stage.load(200);
  await waitFor(() => stage.server.ledger.posts > 200, { what: 'load' });
  const pids = await pidsOf(fleet);
  const killedAt = performance.now();
  for (const pid of pids) sendSignal(pid, 'SIGKILL');
  await fleet.until('3 new workers', ({ workers }) =>
    workers.every(({ pid, state }) => state === 'ready' && pid !== null && !pids.includes(pid)),
  );
  const recoveryMs = performance.now() - killedAt;
  await load.stop();
  return { recoveryMs };
}

/** Ten workers: a slot that dies again and again waits up to 10 s for its next start, so three would not die often enough. */
async function killHundred(stage: Stage): Promise<Findings> {
  const workers = 10;
  const fleet = await stage.start({
    WORKER_COUNT: workers,
    WORKER_CONCURRENCY: CONCURRENCY,
    WORKER_METRICS_ENABLED: 'false',
  });
  await fleet.ready(workers, 40_000);
  stage.server.faults.post.delayMs = 20;
  const load = stage.load(150);
  const begunAt = performance.now();
  let kills = 0;
  while (kills < 100 && performance.now() - begunAt < 90_000) {
    await sleep(1_000 * Math.random());
    const behind = 1 + Math.floor((performance.now() - begunAt) / 600) - kills;
    for (let kill = 0; kill < behind && kills < 100; kill++) kills += await killOne(fleet);
  }
  const took = seconds(begunAt);
  await load.stop();
  stage.expect(kills === 100, `only ${kills} kills: too few workers were alive`);
  return { duplicatesAllowed: kills * CONCURRENCY, note: `${kills} kills in ${took} s` };
}

/** A random worker that is alive; 0 when there is none just now. */
async function killOne(fleet: Fleet): Promise<number> {
  const pids = await pidsOf(fleet);
  const pid = pids[Math.floor(Math.random() * pids.length)];
  if (pid === undefined) return 0;
  try {
    sendSignal(pid, 'SIGKILL');
    return 1;
  } catch {
    return 0; // died since we looked
  }
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(0);
}
