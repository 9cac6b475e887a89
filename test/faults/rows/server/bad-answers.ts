/** Rows 25 and 26: the main server takes the request, and hangs, floods, redirects or closes its sockets. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '../../../support/program/fleet.js';
import { waitFor } from '../../../support/wait-for.js';
import { residentBytes } from '../../support/process-stat.js';
import type { Findings, Row } from '../../support/row.js';
import { pidsOf, type Stage } from '../../support/stage.js';
import { failuresIn, SETTINGS } from './failures.js';

/** In which an unlimited reader would take in hundreds of MB. */
const FLOOD_MS = 300;

export const BAD_ANSWER_ROWS: readonly Row[] = [
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
