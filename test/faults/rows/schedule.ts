/** Rows 4 and 5: kill -9 of a worker whose messages failed: on their way to their retry, and waiting for it. */
import { attemptCountOf, idOf } from '../../support/ledger.js';
import { waitFor } from '../../support/wait-for.js';
import type { Findings, Row } from '../support/row.js';
import { pidOf, sendSignal, type Stage } from '../support/stage.js';

const CONCURRENCY = 4;

export const SCHEDULE_ROWS: readonly Row[] = [
  {
    id: '4',
    fault: 'kill -9 between "failed" and "scheduled", 6 times under load',
    bound: 'in one place at every look, attempt_count +0 or +1',
    run: killBeforeSchedule,
  },
  {
    id: '5',
    fault: 'kill -9 with 10,000 retries waiting',
    bound: 'each POSTed ≤ 1 s after its time, none before, no slot held, 0 dup',
    limits: { recoveryMs: 1_000 },
    alone: true,
    run: killWithRetries,
  },
];

const RETRY_MS = 2_000;

/** Each first POST is answered 500; at every other kill Redis is frozen, so that nothing can be settled before it. */
async function killBeforeSchedule(stage: Stage): Promise<Findings> {
  const kills = 6;
  stage.server.faults.post.failFirst = 1;
  stage.server.faults.post.failStatus = 500;
  stage.answerApart(CONCURRENCY, 20);
  const settings = { WORKER_COUNT: 3, WORKER_CONCURRENCY: CONCURRENCY, WORKER_RETRY_INTERVAL: RETRY_MS / 1_000 };
  const fleet = await stage.start(settings);
  await fleet.ready(3);
  const load = stage.load(100);
  let killedAt = 0;
  for (let kill = 0; kill < kills; kill++) {
    const victim = `worker-${(kill % 3) + 1}`;
    const pid = await waitFor(() => pidOf(fleet, victim), { what: victim });
    const failing = () => stage.openPosts(killedAt).filter(({ id, worker }) => worker === victim && isFirst(stage, id));
    await waitFor(() => failing().length >= 2, { what: `POSTs of ${victim}`, deadlineMs: 10_000 });
    if (kill % 2 === 0) {
      stage.redis.freeze();
      await waitFor(() => failing().length === 0, { what: 'the 500s' });
    }
    killedAt = performance.now();
    sendSignal(pid, 'SIGKILL');
    stage.redis.thaw();
    for (let look = 0; look < 10; look++) await lookForHarm(stage);
  }
  await load.stop();
  const { produced } = stage.ledger;
  const allDelivered = () => stage.server.ledger.delivered.size === produced.length;
  await waitFor(allDelivered, { what: 'delivery', deadlineMs: 30_000 });
  const reports = [...stage.server.ledger.exchanges.values()].flat().filter(({ method }) => method === 'PUT');
  const counts = new Set(reports.map(({ body }) => (body as { attempt_count: number }).attempt_count));
  stage.expect(String([...counts]) === '1', `attempt_count reported after one failure: ${[...counts].join(', ')}`);
  const caught = produced.filter((id) => cameBackAtOnce(stage, id)).length;
  stage.expect(caught > 0, 'no kill came between "failed" and "scheduled"');
  return { duplicatesAllowed: kills * CONCURRENCY, note: `${caught} caught` };
}

function isFirst(stage: Stage, id: string): boolean {
  return stage.server.ledger.of(id, 'POST').length === 1;
}

/** Answered 500 and POSTed again before a retry could have been due: it was never scheduled. */
function cameBackAtOnce(stage: Stage, id: string): boolean {
  const [first, second] = stage.server.ledger.of(id, 'POST');
  return first?.status === 500 && (second?.startMs ?? Infinity) - (first.endMs ?? 0) < RETRY_MS - 200;
}

async function lookForHarm(stage: Stage): Promise<void> {
  const { lost } = await stage.ledger.accountFor();
  stage.expect(lost.length === 0, `in no place after the kill: ${lost.slice(0, 5).join(', ')}`);
  const seen = new Set<string>();
  for (const raw of Object.values(await stage.ledger.snapshot()).flat() as Buffer[]) {
    const id = idOf(raw);
    stage.expect(!seen.has(id), `${id} is in two places`);
    stage.expect(Number(attemptCountOf(raw)) <= 1, `attempt_count of ${id} went up by more than 1`);
    seen.add(id);
  }
}

/** As workers of earlier builds left them (see promote.lua), due one each millisecond from 10 s from now on. */
const SCHEDULE_ALL = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for number = 1, redis.call('LLEN', KEYS[1]) do
  local raw = redis.call('RPOP', KEYS[1])
  redis.call('ZADD', KEYS[2], now + 10000 + number, '0123456789ab' .. number .. ' ' .. cjson.decode(raw).message_id .. ':' .. raw)
end
`;
const FAILED = 300;

/** 300 fail in the worker that is killed and its neighbour, the others are laid out as if they had. */
async function killWithRetries(stage: Stage): Promise<Findings> {
  const { queue, retry } = stage.keys;
  const { server, ledger } = stage;
  const settings = { WORKER_COUNT: 2, WORKER_CONCURRENCY: 16, WORKER_RETRY_INTERVAL: 12, LOG_LEVEL: 'WARNING' };
  const fleet = await stage.start(settings, { prepareOnly: true });
  const laidOut = await ledger.produce(10_000 - FAILED, 1);
  const dueFrom = performance.now() + 10_000;
  await stage.client.eval(SCHEDULE_ALL, 2, queue, retry);
  fleet.startAgain();
  await fleet.ready(2);
  server.faults.post.status = 500;
  const failed = await ledger.produce(FAILED);
  await waitFor(async () => (await stage.client.zcard(retry)) === 10_000, { what: '10,000 retries' });
  server.faults.post.status = undefined;
  sendSignal(await pidOf(fleet, 'worker-1'), 'SIGKILL');
  const { waiting, processing } = await ledger.snapshot();
  stage.expect(waiting.length + processing.length === 0, 'retries left before their time, or hold slots');
  const fresh = await ledger.produce(100);
  const allFresh = () => fresh.every((id) => server.ledger.delivered.has(id));
  await waitFor(allFresh, { what: '100 new messages, which 10,000 retries must not hold up', deadlineMs: 3_000 });
  await waitFor(() => server.ledger.delivered.size === ledger.produced.length, {
    what: 'delivery',
    deadlineMs: 40_000,
  });
  const startOf = (id: string, attempt: number) => server.ledger.of(id, 'POST')[attempt]?.startMs ?? Infinity;
  const lateness = [
    ...laidOut.map((id, number) => startOf(id, 0) - (dueFrom + number + 1)),
    ...failed.map((id) => startOf(id, 1) - ((server.ledger.of(id, 'POST')[0]?.endMs ?? 0) + 12_000)),
  ];
  const earliest = lateness.reduce((least, late) => Math.min(least, late), 0);
  stage.expect(earliest > -50, `a retry came ${(-earliest).toFixed(0)} ms before its time`);
  return { recoveryMs: lateness.reduce((most, late) => Math.max(most, late), 0) };
}
