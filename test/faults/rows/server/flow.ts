/** Rows 24c, 43 and 44: the main server can be reached, but does not bear everything. */
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../../support/wait-for.js';
import type { Findings, Row } from '../../support/row.js';
import type { Stage } from '../../support/stage.js';
import { CONCURRENCY, failuresIn, SETTINGS } from './failures.js';

const REST_S = 20;
const POOL = 30;
const TIMEOUT_S = 1;
const AWAY_S = 4;
const BACK_MS = 12_000;
/** One after the other, 6 ms each. */
const SERIAL_PER_SECOND = 1_000 / 6;
const MEASURE_MS = 2_000;
const COMING_AND_GOING =
  'never beyond 30 in flight; away: no request beyond those in flight and 10 a worker; back: first POST ≤ 1.5 s, full rate ≤ 10 s';

export const FLOW_ROWS: readonly Row[] = [
  {
    id: '24c',
    fault: `main server answers 429 with Retry-After: ${REST_S} for 15 s`,
    bound: 'every worker is held and ready, neither POST nor probe before its time is over, then the first ≤ 1.5 s',
    limits: { recoveryMs: 1_500 },
    run: rest,
  },
  {
    id: '43a',
    fault: 'serial main server (6 ms) that freezes for 30 s at each request beyond 30; 3 workers × 16',
    bound: 'never beyond 30 in flight, all in ≤ 1.1 × the time with 3 × 1',
    alone: true,
    run: (stage) => freezing(stage, 16),
  },
  {
    id: '43b',
    fault: 'the same, 3 workers × 64',
    bound: 'likewise',
    alone: true,
    run: (stage) => freezing(stage, 64),
  },
  {
    id: '43c',
    fault: comingAndGoing(2),
    bound: COMING_AND_GOING,
    limits: { recoveryMs: 1_500 },
    alone: true,
    run: (stage) => comesAndGoes(stage, 2),
    full: {
      fault: comingAndGoing(8),
      limitMs: 10 * 60_000,
      run: (stage) => comesAndGoes(stage, 8),
    },
  },
  {
    id: '44',
    fault: '20 messages on which the main server hangs (1 s) before 10 good ones, /health 200, 4 slots',
    bound: 'the good ones ≤ 1.5 × what the hanging ones fill the slots (5 s)',
    limits: { recoveryMs: 1.5 * ((20 * TIMEOUT_S * 1_000) / CONCURRENCY) },
    run: hanging,
  },
];

async function rest(stage: Stage): Promise<Findings> {
  const { faults, ledger } = stage.server;
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  faults.post.status = 429;
  faults.retryAfterS = REST_S;
  await stage.ledger.produce(200);
  const isHeld = ({ held_by: by, state }: { held_by: string | null; state: string }) =>
    by === 'retry_after' && state === 'ready';
  await fleet.until('both to be held', ({ workers }) => workers.every(isHeld));
  // what was in flight when they heard of it may have come in since
  await sleep(1_000);
  const last = lastPost(stage);
  const [posts, probes] = [ledger.posts, ledger.probedAt.length];
  await sleep(15_000);
  stage.expect(ledger.posts === posts, `${ledger.posts - posts} POSTs while the main server rests`);
  stage.expect(ledger.probedAt.length === probes, `${ledger.probedAt.length - probes} probes while it rests`);
  stage.expect(failuresIn(fleet) <= 2 * CONCURRENCY, `${failuresIn(fleet)} failures before they were held`);
  stage.expect((await fleet.status()).workers.every(isHeld), 'a worker is held no more, or not ready');
  faults.post.status = undefined;
  faults.retryAfterS = 0;
  const first = await stage.firstPostAfter(last, 15_000);
  stage.expect(first - last >= (REST_S - 1) * 1_000, `a POST ${(first - last).toFixed(0)} ms after the last`);
  return { recoveryMs: Math.max(0, first - last - REST_S * 1_000) };
}

function lastPost({ server }: Stage): number {
  return Math.max(...allPosts(server.ledger.exchanges).map(({ startMs }) => startMs));
}

type Exchanges = Stage['server']['ledger']['exchanges'];

function allPosts(exchanges: Exchanges) {
  return [...exchanges.values()].flat().filter(({ method }) => method === 'POST');
}

async function freezing(stage: Stage, concurrency: number): Promise<Findings> {
  Object.assign(stage.server.faults, { serialMs: 6, poolSize: POOL, freezeMs: 30_000 });
  const lone = await deliverAll(stage, { WORKER_CONCURRENCY: 1, WORKER_CONCURRENCY_CONTROL: 'fixed' });
  const took = await deliverAll(stage, { WORKER_CONCURRENCY: concurrency });
  const most = mostInFlight(stage.server.ledger.exchanges);
  stage.expect(most <= POOL, `${most} in flight`);
  stage.expect(took <= 1.1 * lone, `${took.toFixed(0)} ms, with 3 × 1 ${lone.toFixed(0)} ms`);
  return { note: `${(took / lone).toFixed(2)} × the time of 3 × 1; at most ${most} in flight` };
}

function comingAndGoing(times: number): string {
  return `the same server, which ${times} times answers 503 or 429 with Retry-After: ${AWAY_S} for as long; 3 workers × 16`;
}

/** Longest way back in `recoveryMs`. */
async function comesAndGoes(stage: Stage, times: number): Promise<Findings> {
  const { faults, ledger } = stage.server;
  Object.assign(faults, { serialMs: 6, poolSize: POOL, freezeMs: 30_000 });
  const fleet = await stage.start({ WORKER_COUNT: 3, WORKER_CONCURRENCY: 16, WORKER_RETRY_INTERVAL: 2 });
  await fleet.ready(3);
  await stage.ledger.produce(Math.ceil(((times + 1) * BACK_MS * SERIAL_PER_SECOND) / 1_000));
  await sleep(BACK_MS - MEASURE_MS);
  const full = await rateFromNow(stage);
  let longestMs = 0;
  for (let turn = 0; turn < times; turn += 1) {
    const posts = ledger.posts;
    faults.retryAfterS = AWAY_S;
    faults.post.status = turn % 2 === 0 ? 503 : 429;
    await sleep(AWAY_S * 1_000);
    const refused = ledger.posts - posts;
    stage.expect(refused <= POOL + 3 * 10, `${refused} POSTs while it was away`);
    const last = lastPost(stage);
    faults.post.status = undefined;
    const backAt = performance.now();
    longestMs = Math.max(longestMs, (await stage.firstPostAfter(Math.max(last, backAt - 100))) - backAt);
    await sleep(BACK_MS - MEASURE_MS);
    const rate = await rateFromNow(stage);
    stage.expect(rate >= 0.8 * full, `${rate} a second after turn ${turn + 1}, ${full} before`);
  }
  await waitFor(() => stage.ledger.produced.every((id) => ledger.delivered.has(id)), {
    what: 'everything to be delivered',
    deadlineMs: 60_000,
  });
  const { most, frozen } = stage.server.inFlight;
  stage.expect(most <= POOL && frozen === 0, `${most} requests in flight, ${frozen} of them without a connection`);
  return { recoveryMs: longestMs, note: `at most ${most} requests in flight` };
}

async function rateFromNow({ server }: Stage): Promise<number> {
  const before = server.ledger.delivered.size;
  await sleep(MEASURE_MS);
  return ((server.ledger.delivered.size - before) * 1_000) / MEASURE_MS;
}

const MESSAGES = 600;

async function deliverAll(stage: Stage, settings: Readonly<Record<string, string | number>>): Promise<number> {
  const fleet = await stage.start({ WORKER_COUNT: 3, ...settings });
  await fleet.ready(3);
  const before = stage.server.ledger.delivered.size;
  const begun = performance.now();
  await stage.ledger.produce(MESSAGES);
  const isDone = () => stage.server.ledger.delivered.size === before + MESSAGES;
  await waitFor(isDone, { what: 'everything to be delivered', deadlineMs: 60_000 });
  const took = performance.now() - begun;
  await fleet.until('all to be settled', ({ queue }) => queue.processing === 0);
  await fleet.program.destroy();
  return took;
}

function mostInFlight(exchanges: Exchanges): number {
  const steps = allPosts(exchanges).flatMap(({ startMs, endMs = Infinity }) => [
    { at: startMs, by: 1 },
    { at: endMs, by: -1 },
  ]);
  let now = 0;
  let most = 0;
  for (const { by } of steps.sort((one, other) => one.at - other.at || one.by - other.by)) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

async function hanging(stage: Stage): Promise<Findings> {
  const { server } = stage;
  const slots = { WORKER_COUNT: 1, WORKER_CONCURRENCY: CONCURRENCY, WORKER_RETRY_INTERVAL: 15 };
  const fleet = await stage.start({ ...slots, MAIN_SERVER_TIMEOUT: TIMEOUT_S });
  await fleet.ready(1);
  const bad = new Set(Array.from({ length: 20 }, (_, at) => `hangs-${at}`));
  server.onPost = (id) => (server.faults.post.hang = bad.has(id));
  const begun = performance.now();
  for (const id of bad) await stage.ledger.produceRaw(id, JSON.stringify({ message_id: id, attempt_count: 0 }));
  const good = await stage.ledger.produce(10);
  const isDone = () => good.every((id) => server.ledger.delivered.has(id));
  await waitFor(isDone, { what: 'the good ones', deadlineMs: 60_000 });
  const recoveryMs = performance.now() - begun;
  const opened = /claiming is paused/.test(fleet.logged());
  stage.expect(!opened, 'the breaker has opened');
  bad.clear();
  return { recoveryMs };
}
