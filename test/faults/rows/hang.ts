/** Rows 8 to 11: workers that die of a message, hang, come back too late, or bloat. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../../support/program/processes.js';
import { countDead } from '../../support/redis/queue.js';
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
    alone: true,
    run: poison,
  },
  {
    id: '9a',
    fault: 'SIGSTOP of a worker with POSTs under way',
    bound: 'SIGKILL ≤ 10 s after its last beat, tried again ≤ 12 s, dup ≤ C (4)',
    limits: { recoveryMs: 12_000, duplicates: CONCURRENCY },
    run: (stage) => hang(stage, 'SIGSTOP'),
  },
  {
    id: '9b',
    fault: 'event loop of a worker blocked for 60 s',
    bound: 'SIGKILL ≤ 10 s after its last beat, tried again ≤ 12 s, dup ≤ C (4)',
    limits: { recoveryMs: 12_000, duplicates: CONCURRENCY },
    run: (stage) => hang(stage, BLOCK_EVENT_LOOP),
  },
  {
    id: '10a',
    fault: 'SIGSTOP of primary and worker, claims delivered elsewhere, SIGCONT: 500s to report',
    bound: 'the late one schedules and PUTs nothing, 0 dup',
    run: (stage) => stopAndContinue(stage, 500),
  },
  {
    id: '10b',
    fault: 'the same with 200s to acknowledge, while another one still delivers',
    bound: 'the late one acks nothing, dup ≤ C (4)',
    limits: { duplicates: CONCURRENCY },
    run: (stage) => stopAndContinue(stage, 200),
  },
  {
    id: '11',
    fault: 'memory above worker.max_memory, 2 of 3 workers',
    bound: 'drained and replaced one at a time, 0 dup, ≥ N-1 (2) consume',
    run: bloat,
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
  await waitFor(async () => (await countDead(stage.client)) === 1, {
    what: 'the dead letter',
    deadlineMs: 90_000,
  });
  const tookMs = performance.now() - begun;
  // to the delivery of the last of them: at the moment of the burial a worker has just died, often the only one up
  const others = stage.ledger.produced.filter((other) => other !== id);
  const areDelivered = () => others.every((other) => server.ledger.delivered.has(other));
  await waitFor(areDelivered, { what: 'delivery of the others', deadlineMs: 10_000 });
  const rate = ((others.length - before) / (performance.now() - begun)) * 1_000;
  await load.stop();
  stage.expect(rate >= 45, `others went down to ${rate.toFixed(0)}/s of 50/s`);
  const { dead } = await stage.ledger.snapshot();
  stage.expect(dead[0]?.toString() === raw, 'the dead letter is not the message, byte for byte');
  stage.expect(fleet.program.exit === undefined, 'the primary died of it, too');
  return { note: `others ${rate.toFixed(0)}/s of 50/s, buried after ${(tookMs / 1_000).toFixed(0)} s` };
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
  await waitFor(() => !isAlive(pid ?? 0), { what: 'the hung process to be killed', deadlineMs: 20_000 });
  const killedMs = performance.now() - stoppedAt;
  // its last beat came before the signal; half a second is ours to see it
  stage.expect(killedMs <= 10_500, `killed after ${killedMs.toFixed(0)} ms`);
  const again = await stage.postedAgain(
    held.map(({ id }) => id),
    stoppedAt,
  );
  await fleet.ready(2);
  return { recoveryMs: again - stoppedAt, note: `killed after ${(killedMs / 1_000).toFixed(1)} s` };
}

/** The first POSTs are answered while their worker stands still: awake, it must not settle what others hold or delivered. */
async function stopAndContinue(stage: Stage, status: 200 | 500): Promise<Findings> {
  const settings = { WORKER_COUNT: 1, WORKER_CONCURRENCY: CONCURRENCY, WORKER_RETRY_INTERVAL: 2 };
  const sleeper = await stage.start(settings);
  await sleeper.ready(1);
  const { server } = stage;
  server.faults.post.delayMs = 300;
  if (status !== 200) server.faults.post.status = status;
  const pids = [sleeper.program.pid, await pidOf(sleeper, 'worker-1')];
  const ids = await stage.ledger.produce(CONCURRENCY);
  await waitFor(() => stage.openPosts().length === CONCURRENCY, { what: 'all slots in a POST' });
  for (const pid of pids) sendSignal(pid, 'SIGSTOP');
  const stoppedAt = performance.now();
  await waitFor(() => stage.openPosts().length === 0, { what: 'the answers' });
  server.faults.post.status = undefined;
  server.faults.post.delayMs = status === 200 ? 5_000 : 0;
  const other = await stage.start(settings);
  await other.ready(1);
  await stage.postedAgain(ids, stoppedAt, 25_000);
  if (status !== 200) await waitFor(() => server.ledger.delivered.size === CONCURRENCY, { what: 'the other one' });
  for (const pid of pids.reverse()) sendSignal(pid, 'SIGCONT');
  const lostClaims = () =>
    [...sleeper.logged().matchAll(/(\d+) message\(s\) were not ours any more/g)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
  await waitFor(() => lostClaims() === CONCURRENCY, {
    what: 'the late one to find that its claims are lost',
    deadlineMs: 15_000,
  });
  const { processing } = await stage.ledger.snapshot();
  const left = status === 200 ? CONCURRENCY : 0;
  stage.expect(processing.length === left, `${processing.length} claims in other hands, ${left} expected`);
  server.faults.post.delayMs = 0;
  await stage.ledger.produce(40);
  await waitFor(() => server.ledger.posts >= 2 * CONCURRENCY + 40 && stage.openPosts().length === 0, {
    what: 'both to work',
    deadlineMs: 10_000,
  });
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
