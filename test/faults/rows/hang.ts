/** Rows 8 to 13: processes that kill themselves, hang, bloat or lose their primary; a whole host that is gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { attemptCountOf, idOf } from '../../support/ledger.js';
import { isAlive } from '../../support/processes.js';
import { waitFor } from '../../support/wait-for.js';
import { BLOCK_EVENT_LOOP, provocable, TAKE_MEMORY } from '../support/provoked.js';
import type { Findings, Row } from '../support/row.js';
import { pidOf, pidsOf, sendSignal, type Stage } from '../support/stage.js';

const CONCURRENCY = 4;

export const HANG_ROWS: readonly Row[] = [
  {
    id: '8',
    fault: 'a message that takes its process down (out of memory), again and again',
    bound: 'byte for byte in the dead list after 10 crashes, dup ≤ 10·C, others flow on ≥ 90 %',
    limits: { dead: 1, duplicates: 10 * CONCURRENCY },
    run: poison,
  },
  {
    id: '9a',
    fault: 'SIGSTOP of a worker with POSTs under way',
    bound: 'tried again ≤ 12 s, dup ≤ C (4)',
    limits: { recoveryMs: 12_000, duplicates: CONCURRENCY },
    run: (stage) => hang(stage, 'SIGSTOP'),
  },
  {
    id: '9b',
    fault: 'event loop of a worker blocked for 60 s',
    bound: 'tried again ≤ 12 s, dup ≤ C (4)',
    limits: { recoveryMs: 12_000, duplicates: CONCURRENCY },
    run: (stage) => hang(stage, BLOCK_EVENT_LOOP),
  },
  {
    id: '10',
    fault: 'SIGSTOP of primary and worker, claims taken over elsewhere, SIGCONT',
    bound: 'the late one acks, schedules and PUTs nothing, dup ≤ C (4)',
    limits: { duplicates: CONCURRENCY },
    run: stopAndContinue,
  },
  {
    id: '11',
    fault: 'memory above worker.max_memory, 2 of 3 workers',
    bound: 'drained and replaced one at a time, 0 dup, ≥ N-1 (2) consume',
    run: bloat,
  },
  {
    id: '12a',
    fault: 'kill -9 of the primary; one worker busy, one with a blocked loop',
    bound: 'no process alive after 15 s, dup ≤ N·C (8)',
    limits: { recoveryMs: 15_000, duplicates: 2 * CONCURRENCY },
    run: killPrimary,
  },
  {
    id: '12b',
    fault: 'kill -9 of primary and workers, a new primary at once',
    bound: 'claims back in the queue < 2 s after the new one starts, dup ≤ N·C (8)',
    limits: { recoveryMs: 2_000, duplicates: 2 * CONCURRENCY },
    run: killEverything,
  },
];

/** Nested arrays take twenty times their size when they are parsed: 8 MB break a heap of 60 MB. */
async function poison(stage: Stage): Promise<Findings> {
  const env = { NODE_OPTIONS: '--max-old-space-size=60' };
  const fleet = await stage.start({ WORKER_COUNT: 3, WORKER_CONCURRENCY: CONCURRENCY }, { env });
  await fleet.ready(3);
  const load = stage.load(50);
  const id = 'poison-1';
  const raw = `{"message_id":"${id}","pad":[${'[],'.repeat(2_600_000)}0],"attempt_count":0}`;
  await stage.ledger.produceRaw(id, raw);
  const begun = performance.now();
  const { server } = stage;
  const before = server.ledger.delivered.size;
  await waitFor(async () => (await stage.client.llen(stage.keys.dead)) === 1, {
    what: 'the dead letter',
    deadlineMs: 90_000,
  });
  const tookMs = performance.now() - begun;
  const rate = ((server.ledger.delivered.size - before) / tookMs) * 1_000;
  await load.stop();
  stage.expect(rate >= 45, `others went down to ${rate.toFixed(0)}/s of 50/s`);
  const { dead } = await stage.ledger.snapshot();
  stage.expect(dead[0]?.toString() === raw, 'the dead letter is not the message, byte for byte');
  stage.expect(fleet.program.exit === undefined, 'the primary died of it, too');
  return { note: `buried after ${(tookMs / 1_000).toFixed(0)} s` };
}

async function hang(stage: Stage, signal: NodeJS.Signals): Promise<Findings> {
  const settings = { WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY };
  const fleet = await stage.start(settings, { env: provocable(stage) });
  await fleet.ready(2);
  const pid = await pidOf(fleet, 'worker-1');
  stage.server.faults.post.delayMs = 100;
  await stage.ledger.produce(200);
  const ofVictim = () => stage.openPosts().filter(({ worker }) => worker === 'worker-1');
  const held = await waitFor(() => ofVictim().length === CONCURRENCY && ofVictim(), { what: 'POSTs of worker-1' });
  const stoppedAt = performance.now();
  sendSignal(pid, signal);
  const again = await stage.postedAgain(
    held.map(({ id }) => id),
    stoppedAt,
  );
  stage.expect(pid !== undefined && !isAlive(pid), 'the hung process lives');
  await fleet.ready(2);
  return { recoveryMs: again - stoppedAt };
}

/** The first POSTs are answered 500 while their worker stands still: awake, it must not schedule or report that. */
async function stopAndContinue(stage: Stage): Promise<Findings> {
  const settings = { WORKER_COUNT: 1, WORKER_CONCURRENCY: CONCURRENCY, WORKER_RETRY_INTERVAL: 2 };
  const sleeper = await stage.start(settings);
  await sleeper.ready(1);
  const { server } = stage;
  server.faults.post.delayMs = 300;
  server.faults.post.failFirst = 1;
  server.faults.post.failStatus = 500;
  const pids = [sleeper.program.pid, await pidOf(sleeper, 'worker-1')];
  await stage.ledger.produce(CONCURRENCY);
  await waitFor(() => stage.openPosts().length === CONCURRENCY, { what: 'all slots in a POST' });
  for (const pid of pids) sendSignal(pid, 'SIGSTOP');
  await waitFor(() => stage.openPosts().length === 0, { what: 'the answers' });
  server.faults.post.failFirst = 0;
  const other = await stage.start(settings);
  await other.ready(1);
  const allDelivered = () => server.ledger.delivered.size === CONCURRENCY;
  await waitFor(allDelivered, { what: 'the other one to deliver', deadlineMs: 25_000 });
  for (const pid of pids.reverse()) sendSignal(pid, 'SIGCONT');
  await sleeper.ready(1);
  await stage.ledger.produce(40);
  await waitFor(() => server.ledger.delivered.size === CONCURRENCY + 40, { what: 'both to work' });
  await sleep(2_500); // a retry scheduled by the late one would be due
  stage.expect(server.ledger.puts === 0, 'the late worker reported a status');
  return {};
}

async function bloat(stage: Stage): Promise<Findings> {
  const settings = { WORKER_COUNT: 3, WORKER_CONCURRENCY: CONCURRENCY, WORKER_MAX_MEMORY: '280M' };
  const fleet = await stage.start(settings, { env: provocable(stage) });
  await fleet.ready(3);
  const load = stage.load(100);
  const before = await pidsOf(fleet);
  for (const pid of before.slice(0, 2)) sendSignal(pid, TAKE_MEMORY);
  let fewest = 3;
  const begun = performance.now();
  await fleet.until(
    'two new processes',
    ({ workers }) => {
      fewest = Math.min(fewest, workers.filter(({ consuming }) => consuming).length);
      const kept = workers.filter(({ pid, state }) => state === 'ready' && pid !== null && before.includes(pid));
      return kept.length === 1 && workers.every(({ state }) => state === 'ready');
    },
    60_000,
  );
  await load.stop();
  stage.expect(fewest >= 2, `only ${fewest} workers consumed at some moment`);
  return { note: `replaced in ${((performance.now() - begun) / 1_000).toFixed(0)} s` };
}

async function killPrimary(stage: Stage): Promise<Findings> {
  const settings = { WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY };
  const fleet = await stage.start(settings, { env: provocable(stage) });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 200;
  await stage.ledger.produce(400);
  await waitFor(() => stage.openPosts().length === 2 * CONCURRENCY, { what: 'busy workers' });
  const first = fleet.program;
  sendSignal(await pidOf(fleet, 'worker-1'), BLOCK_EVENT_LOOP);
  const killedAt = performance.now();
  sendSignal(first.pid, 'SIGKILL');
  const nobody = () => first.exit !== undefined && first.descendants().length === 0;
  await waitFor(nobody, { what: 'the orphans to end', deadlineMs: 20_000 });
  const recoveryMs = performance.now() - killedAt;
  stage.server.faults.post.delayMs = 0;
  fleet.startAgain();
  await fleet.ready(2);
  return { recoveryMs };
}

async function killEverything(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 200;
  await stage.ledger.produce(100);
  await waitFor(() => stage.openPosts().length === 2 * CONCURRENCY, { what: 'busy workers' });
  const pids = await pidsOf(fleet);
  for (const pid of [fleet.program.pid, ...pids]) sendSignal(pid, 'SIGKILL');
  await fleet.program.waitForExit();
  const claims = (await stage.ledger.snapshot()).processing.map(idOf);
  stage.server.faults.post.delayMs = 0;
  fleet.startAgain();
  const startedAt = performance.now();
  const areBack = async () => {
    const waiting = new Set((await stage.ledger.snapshot()).waiting.map(idOf));
    return claims.every((id) => waiting.has(id) || stage.server.ledger.delivered.has(id));
  };
  await waitFor(areBack, { what: 'the claims to be back', deadlineMs: 20_000 });
  const recoveryMs = performance.now() - startedAt;
  const { waiting, processing } = await stage.ledger.snapshot();
  const changed = [...waiting, ...processing].filter((raw) => attemptCountOf(raw) !== 0);
  stage.expect(changed.length === 0, `attempt_count of ${changed.map(idOf).join(', ')} has changed`);
  return { recoveryMs };
}
