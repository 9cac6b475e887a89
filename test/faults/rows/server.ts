/** Rows 24 to 26: the main server is away, hangs, floods or closes its sockets. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet, Settings } from '../../support/fleet.js';
import { attemptCountOf } from '../../support/ledger.js';
import { waitFor } from '../../support/wait-for.js';
import { residentBytes } from '../support/process-stat.js';
import type { Findings, Row } from '../support/row.js';
import { pidsOf, type Stage } from '../support/stage.js';

const CONCURRENCY = 4;
const SETTINGS = { WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY, WORKER_RETRY_INTERVAL: 3 };
const OUTAGE_MS = 15_000;
/** In which an unlimited reader would take in hundreds of MB. */
const FLOOD_MS = 300;
const BREAKER =
  'open ≤ 10 failures, no attempt burnt after, a probe ≤ 5 s and ≥ 4 s after the last, every worker claims again ≤ 5.5 s after it ends';
/** What a timer and the way to the server may add to the 5 s between two probes. */
const PROBE_SLACK_MS = 300;

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
    fault: 'main server answers 429 with Retry-After: 3600 for 15 s (for 1 h)',
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
    bound: 'the other is ready, too: probe ≤ 5 s, beat 1 s',
    limits: { recoveryMs: 6_500 },
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
    fault: 'main server drips its answer, a byte each 100 ms; MAIN_SERVER_TIMEOUT 10 s',
    bound: 'slot free ≤ 10.5 s',
    limits: { recoveryMs: 10_500 },
    run: (stage) => slow(stage, (post) => (post.body = 'drip'), { MAIN_SERVER_TIMEOUT: 10 }),
  },
  {
    id: '25c',
    fault: '250 MB and gzip-bomb answers, 20 of each with 200 and with 500',
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
    id: '25e',
    fault: 'answers 301, 307, 308 with a Location',
    bound: 'not followed, a failed attempt, delivered by the next one',
    run: redirects,
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
  const openAt = performance.now();
  await sleep(OUTAGE_MS);
  const { waiting, retry } = await stage.ledger.snapshot();
  // what was in flight when they opened may have come in since; nothing is tried while /health is as bad
  stage.expect(failuresIn(fleet) <= MOST_FAILURES, `${failuresIn(fleet)} failures in ${OUTAGE_MS / 1_000} s`);
  const counts = [...waiting, ...retry].map((raw) => Number(attemptCountOf(raw)));
  const spent = counts.reduce((sum, count) => sum + count, 0);
  stage.expect(spent <= MOST_FAILURES, `${spent} attempts spent, ${MOST_FAILURES} at most before the breakers opened`);
  stage.expect(Math.max(...counts) <= 1, 'a message lost more than one attempt');
  expectProbes(stage, openAt);
  await end();
  const endedAt = performance.now();
  const load = stage.load(100); // a breaker closes by the outcome of a message
  await closedBreakers(fleet, 2);
  const recoveryMs = performance.now() - endedAt;
  await load.stop();
  return { recoveryMs, note: `${failures} failures` };
}

/** By the log: a status is up to a second old, as the beats that it is made of. */
async function closedBreakers({ program }: Fleet, count: number): Promise<void> {
  const closed = () => program.lines.filter(({ text }) => /Main server can be reached again/.test(text)).length;
  await waitFor(() => closed() >= count, { what: 'closed breakers', deadlineMs: 15_000 });
}

/** Where the main server can count them: two workers probe each 4 to 5 s, not in step. */
function expectProbes(stage: Stage, since: number): void {
  const probes = stage.server.ledger.probedAt.filter((at) => at > since).map((at) => at - since);
  if (stage.server.faults.health === 'healthy') return; // nothing gets through to it
  const gaps = [0, ...probes, OUTAGE_MS].map((at, index, all) => at - (all[index - 1] ?? 0));
  const longest = Math.max(...gaps);
  stage.expect(longest <= 5_000 + PROBE_SLACK_MS, `no probe for ${longest.toFixed(0)} ms`);
  const most = 2 * (OUTAGE_MS / 4_000 + 1);
  stage.expect(probes.length <= most, `${probes.length} probes in ${OUTAGE_MS} ms, ${most} at most`);
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
async function slow(
  stage: Stage,
  fault: (post: Stage['server']['faults']['post']) => unknown,
  settings: Settings = {},
): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 1, WORKER_CONCURRENCY: 1, WORKER_RETRY_INTERVAL: 1, ...settings });
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
  // with failures among them, or the client of the status updates would be loaded only in the flood
  stage.server.faults.post.failRate = 0.1;
  stage.server.faults.post.failStatus = 500;
  await stage.ledger.produce(500);
  await waitFor(() => stage.server.ledger.delivered.size === 500, { what: 'a warm worker', deadlineMs: 30_000 });
  stage.server.faults.post.failRate = 0;
  const before = residentBytes(pid);
  let most = before;
  const { post } = stage.server.faults;
  for (const status of [200, 500]) {
    for (const body of ['huge', 'bomb'] as const) {
      post.status = status;
      post.body = body;
      const target = stage.server.ledger.posts + 20;
      await stage.ledger.produce(20);
      const isDone = () => {
        most = Math.max(most, residentBytes(pid));
        return stage.server.ledger.posts >= target && stage.openPosts().length === 0;
      };
      await waitFor(isDone, { what: `20 ${body} answers with ${status}`, deadlineMs: 60_000 });
      await watchFor(FLOOD_MS, () => (most = Math.max(most, residentBytes(pid))));
      post.body = 'normal';
      post.status = undefined;
    }
  }
  const grown = (most - before) / 1024 / 1024;
  stage.expect(grown < 20, `RSS grew by ${grown.toFixed(0)} MiB`);
  return { note: `RSS +${grown.toFixed(0)} MiB` };
}

/** Looks every 10 ms: the answer is still on its way when the server has handed it out. */
async function watchFor(ms: number, look: () => void): Promise<void> {
  const until = performance.now() + ms;
  for (; performance.now() < until; await sleep(10)) look();
}

/** Followed, a redirect would take the message where nobody knows it. */
async function redirects(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ ...SETTINGS, WORKER_RETRY_INTERVAL: 1 });
  await fleet.ready(2);
  for (const status of [301, 307, 308]) {
    stage.server.faults.post.status = status;
    const before = stage.server.ledger.posts;
    await stage.ledger.produce(4);
    await waitFor(() => stage.server.ledger.posts >= before + 4, { what: `answers with ${status}` });
    stage.server.faults.post.status = undefined;
    await waitFor(() => stage.server.ledger.delivered.size === stage.ledger.produced.length, {
      what: 'the retries',
      deadlineMs: 15_000,
    });
  }
  const { strays } = stage.server.ledger;
  stage.expect(strays === 0, `${strays} requests went where the redirect pointed`);
  stage.expect(failuresIn(fleet) >= 12, `a redirect was no failure: ${failuresIn(fleet)} of 12`);
  return {};
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

/** Each round: a message that makes a socket a kept one, then one that finds it closed. */
async function staleSockets(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ ...SETTINGS, WORKER_COUNT: 1, WORKER_CONCURRENCY: 1 });
  await fleet.ready(1);
  const times: number[] = [];
  const delivers = async () => {
    const producedAt = performance.now();
    const [id = ''] = await stage.ledger.produce(1);
    await waitFor(() => stage.server.ledger.delivered.has(id), { what: 'delivery' });
    return (stage.server.ledger.of(id, 'POST')[0]?.startMs ?? Infinity) - producedAt;
  };
  for (let round = 0; round < 30; round++) {
    await delivers();
    stage.server.faults.staleCloses = 1;
    times.push(await delivers());
    stage.expect(stage.server.faults.staleCloses === 0, `round ${round}: the POST went to a new socket`);
  }
  stage.expect(failuresIn(fleet) === 0, 'an attempt was spent');
  // the median: what else the machine does shows in the slowest
  return { recoveryMs: times.sort((one, other) => one - other)[15] ?? Infinity };
}
