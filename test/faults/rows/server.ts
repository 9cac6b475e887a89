/** Rows 24 to 26: the main server is away, hangs, floods or closes its sockets. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from '../../support/fleet.js';
import { attemptCountOf } from '../../support/ledger.js';
import { waitFor } from '../../support/wait-for.js';
import { residentBytes } from '../support/process-stat.js';
import type { Findings, Row } from '../support/row.js';
import { pidsOf, type Stage } from '../support/stage.js';

const CONCURRENCY = 4;
const SETTINGS = { WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY, WORKER_RETRY_INTERVAL: 3 };
const OUTAGE_MS = 15_000;
const BREAKER = 'open ≤ 10 failures, no attempt burnt, claiming again everywhere ≤ 5.5 s after it ends';

export const SERVER_ROWS: readonly Row[] = [
  {
    id: '24a',
    fault: 'main server refuses connections for 15 s (for 1 h)',
    bound: BREAKER,
    limits: { recoveryMs: 5_500 },
    run: refused,
  },
  {
    id: '24b',
    fault: 'main server answers 503 for 15 s (for 1 h)',
    bound: BREAKER,
    limits: { recoveryMs: 5_500 },
    run: (stage) => refusing(stage, 503),
  },
  {
    id: '24c',
    fault: 'main server answers 429 for 15 s (for 1 h)',
    bound: BREAKER,
    limits: { recoveryMs: 5_500 },
    run: (stage) => refusing(stage, 429),
  },
  {
    id: '24d',
    fault: 'main server under a name that no DNS knows, mended by SIGHUP',
    bound: 'open ≤ 10 failures, no attempt burnt',
    run: unknownHost,
  },
  {
    id: '24e',
    fault: 'main server away, and one worker alone delivers all that waits when it is back',
    bound: 'the other is ready, too: probe ≤ 5 s, empty pop 2 s, beat 1 s',
    limits: { recoveryMs: 8_000 },
    run: emptiedByAnother,
  },
  {
    id: '25a',
    fault: 'main server takes the POST and never answers',
    bound: 'slot free ≤ 30.5 s',
    limits: { recoveryMs: 30_500 },
    run: (stage) => slow(stage, (post) => (post.hang = true)),
  },
  {
    id: '25b',
    fault: 'main server drips its answer, a byte each 100 ms',
    bound: 'slot free ≤ 30.5 s',
    limits: { recoveryMs: 30_500 },
    run: (stage) => slow(stage, (post) => (post.body = 'drip')),
  },
  {
    id: '25c',
    fault: '250 MB and gzip-bomb answers, 20 of each',
    bound: 'RSS +< 20 MB, 0 dup',
    alone: true,
    run: floods,
  },
  {
    id: '25d',
    fault: 'answers cut by RST: in the body of a 200, before the status',
    bound: 'a 200 is delivered (0 dup); without status tried again',
    run: cuts,
  },
  {
    id: '26',
    fault: 'main server closes the kept-alive socket as we write, 30 times',
    bound: 'on a new socket ≤ 100 ms, no attempt spent',
    limits: { recoveryMs: 100 },
    alone: true,
    run: staleSockets,
  },
];

/** Failures of workers whose circuit breaker opens after ten: ten, and what else was in flight. */
const MOST_FAILURES = 2 * (10 + CONCURRENCY - 1);

async function refused(stage: Stage): Promise<Findings> {
  const proxy = await stage.proxy(stage.server.port);
  const fleet = await stage.start({ ...SETTINGS, MAIN_SERVER_URL: `https://localhost:${proxy.port}` });
  await fleet.ready(2);
  return outage(stage, fleet, {
    begin: () => proxy.setMode('refuse'),
    end: () => proxy.setMode('pass'),
  });
}

async function refusing(stage: Stage, status: number): Promise<Findings> {
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  const { faults } = stage.server;
  return outage(stage, fleet, {
    begin: async () => {
      faults.post.status = status;
      faults.health = 'unhealthy';
    },
    end: async () => {
      faults.post.status = undefined;
      faults.health = 'healthy';
    },
  });
}

interface Outage {
  begin(): Promise<void>;
  end(): Promise<void>;
}

async function outage(stage: Stage, fleet: Fleet, { begin, end }: Outage): Promise<Findings> {
  await begin();
  await stage.ledger.produce(200);
  await fleet.until('open breakers', ({ workers }) => workers.every(({ breaker }) => breaker !== 'closed'));
  const failures = failuresIn(fleet);
  stage.expect(failures <= MOST_FAILURES, `${failures} failures before the breakers opened`);
  await sleep(OUTAGE_MS);
  const { waiting, retry } = await stage.ledger.snapshot();
  // each 5 s a worker may try one message
  stage.expect(failuresIn(fleet) <= MOST_FAILURES + 2 * 4, `${failuresIn(fleet)} failures in ${OUTAGE_MS / 1_000} s`);
  const burnt = [...waiting, ...retry].filter((raw) => Number(attemptCountOf(raw)) > 2).length;
  stage.expect(burnt === 0, `${burnt} messages lost more than two attempts`);
  await end();
  const endedAt = performance.now();
  const load = stage.load(100); // a breaker closes by the outcome of a message
  await fleet.until('closed breakers', ({ workers }) => workers.every(({ breaker }) => breaker === 'closed'), 15_000);
  const recoveryMs = performance.now() - endedAt;
  await load.stop();
  return { recoveryMs, note: `${failures} failures` };
}

/** A worker that finds nothing to try must not call itself cut off until the next message comes. */
async function emptiedByAnother(stage: Stage): Promise<Findings> {
  const proxy = await stage.proxy(stage.server.port);
  const fleet = await stage.start({ ...SETTINGS, MAIN_SERVER_URL: `https://localhost:${proxy.port}` });
  await fleet.ready(2);
  await proxy.setMode('refuse');
  await stage.ledger.produce(60);
  await fleet.until('open breakers', ({ workers }) => workers.every(({ breaker }) => breaker !== 'closed'));
  await proxy.setMode('pass');
  await waitFor(() => stage.server.ledger.delivered.size === 60, { what: 'delivery', deadlineMs: 20_000 });
  const deliveredAt = performance.now();
  await fleet.ready(2, 20_000);
  return { recoveryMs: performance.now() - deliveredAt };
}

function failuresIn(fleet: Fleet): number {
  return fleet.logged().match(/delivery failed, will retry/g)?.length ?? 0;
}

async function unknownHost(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ ...SETTINGS, MAIN_SERVER_URL: 'https://no-such-host.invalid:8000' });
  await stage.ledger.produce(200);
  await fleet.until('open breakers', ({ workers }) => workers.every(({ breaker }) => breaker === 'open'), 30_000);
  const failures = failuresIn(fleet);
  stage.expect(failures <= MOST_FAILURES, `${failures} failures`);
  stage.expect(/DNS lookup failed/.test(fleet.logged()), 'the log does not name DNS');
  fleet.configure(SETTINGS);
  fleet.program.signal('SIGHUP');
  return { note: `${failures} failures` };
}

/** One worker with one slot: when the second message is POSTed, the first has left it. */
async function slow(stage: Stage, fault: (post: Stage['server']['faults']['post']) => unknown): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 1, WORKER_CONCURRENCY: 1, WORKER_RETRY_INTERVAL: 1 });
  await fleet.ready(1);
  fault(stage.server.faults.post);
  const [first = ''] = await stage.ledger.produce(2);
  await waitFor(() => stage.server.ledger.posts === 1, { what: 'the POST' });
  const startMs = stage.server.ledger.of(first)[0]?.startMs ?? 0;
  stage.server.faults.post.hang = false;
  stage.server.faults.post.body = 'normal';
  return { recoveryMs: (await stage.firstPostAfter(startMs, 40_000)) - startMs };
}

async function floods(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ ...SETTINGS, WORKER_COUNT: 1 });
  await fleet.ready(1);
  const [pid = 0] = await pidsOf(fleet);
  await stage.ledger.produce(500);
  await waitFor(() => stage.server.ledger.delivered.size === 500, { what: 'a warm worker' });
  const before = residentBytes(pid);
  let most = before;
  for (const body of ['huge', 'bomb'] as const) {
    stage.server.faults.post.body = body;
    const target = stage.server.ledger.delivered.size + 20;
    await stage.ledger.produce(20);
    const isDone = () => {
      most = Math.max(most, residentBytes(pid));
      return stage.server.ledger.delivered.size >= target && stage.openPosts().length === 0;
    };
    await waitFor(isDone, { what: `20 ${body} answers`, deadlineMs: 60_000 });
  }
  stage.server.faults.post.body = 'normal';
  const grown = (most - before) / 1024 / 1024;
  stage.expect(grown < 20, `RSS grew by ${grown.toFixed(0)} MiB`);
  return { note: `RSS +${grown.toFixed(0)} MiB` };
}

async function cuts(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ ...SETTINGS, WORKER_RETRY_INTERVAL: 1 });
  await fleet.ready(2);
  const { post } = stage.server.faults;
  for (const body of ['cut', 'rst', 'drop'] as const) {
    post.body = body;
    const before = stage.server.ledger.posts;
    await stage.ledger.produce(8);
    await waitFor(() => stage.server.ledger.posts >= before + 8, { what: `answers of the kind ${body}` });
    await sleep(200); // the last answer is on its way
    post.body = 'normal';
  }
  return {};
}

async function staleSockets(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ ...SETTINGS, WORKER_COUNT: 1, WORKER_CONCURRENCY: 1 });
  await fleet.ready(1);
  const times: number[] = [];
  let closed = 0;
  for (let round = 0; round < 31; round++) {
    stage.server.faults.staleCloses = round === 0 ? 0 : 1;
    const producedAt = performance.now();
    await stage.ledger.produce(1);
    await waitFor(() => stage.server.ledger.delivered.size === round + 1, { what: 'delivery' });
    if (round > 0) times.push((await stage.firstPostAfter(producedAt)) - producedAt);
    closed += round > 0 && stage.server.faults.staleCloses === 0 ? 1 : 0;
  }
  stage.expect(closed >= 20, `only ${closed} POSTs went to a kept-alive socket`);
  stage.expect(failuresIn(fleet) === 0, 'an attempt was spent');
  // the median: what else the machine does shows in the slowest
  return { recoveryMs: times.sort((one, other) => one - other)[15] ?? Infinity };
}
