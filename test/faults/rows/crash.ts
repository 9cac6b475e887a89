/** Rows 1 to 5: kill -9 of a worker at each step of a message's life. */
import { setTimeout as sleep } from 'node:timers/promises';
import { attemptCountOf, idOf } from '../../support/ledger.js';
import { waitFor } from '../../support/wait-for.js';
import type { Findings, Row } from '../support/row.js';
import { pidOf, sendSignal, type Stage } from '../support/stage.js';

const CONCURRENCY = 4;

export const CRASH_ROWS: readonly Row[] = [
  {
    id: '1',
    fault: 'kill -9 of a worker that waits in its pop, one after the other of 3',
    bound: 'each next one ready < 1 s, 0 dup',
    limits: { recoveryMs: 1_000 },
    alone: true,
    run: killWaiting,
  },
  {
    id: '2',
    fault: 'kill -9 after the pop, before the POST',
    bound: 'tried again < 2 s, attempt_count as it was, 0 dup',
    limits: { recoveryMs: 2_000 },
    run: killBeforePost,
  },
  {
    id: '3a',
    fault: 'kill -9 during the POST',
    bound: 'tried again < 2 s, dup ≤ C (4)',
    limits: { recoveryMs: 2_000, duplicates: CONCURRENCY },
    run: killDuringPost,
  },
  {
    id: '3b',
    fault: 'kill -9 after 200, before the ack (Redis frozen meanwhile)',
    bound: 'tried again < 2 s after Redis thaws, dup ≤ C (4)',
    limits: { recoveryMs: 2_000, duplicates: CONCURRENCY },
    run: killBeforeAck,
  },
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

async function killWaiting(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 3, WORKER_CONCURRENCY: CONCURRENCY });
  let slowest = 0;
  for (const { id, pid } of await fleet.ready(3)) {
    await waitFor(() => waitsInPop(stage, id), { what: `the pop of ${id}` });
    const killedAt = performance.now();
    sendSignal(pid, 'SIGKILL');
    // Redis may give one of these to the dead pop
    await stage.ledger.produce(50);
    const isBack = (worker: { id: string; pid: number | null; state: string }) =>
      worker.id === id && worker.pid !== pid && worker.state === 'ready';
    await fleet.until(`the next ${id}`, ({ workers }) => workers.some(isBack));
    slowest = Math.max(slowest, performance.now() - killedAt);
  }
  return { recoveryMs: slowest };
}

async function waitsInPop(stage: Stage, worker: string): Promise<boolean> {
  const clients = String(await stage.client.client('LIST')).split('\n');
  return clients.some(
    (line) => line.includes(`name=message-broker-worker:${worker}:blocking `) && / flags=b/.test(line),
  );
}

/** The way to the main server is black until the kill, so nothing can have been POSTed. */
async function killBeforePost(stage: Stage): Promise<Findings> {
  const proxy = await stage.proxy(stage.server.port);
  await proxy.setMode('blackhole');
  const fleet = await stage.startSettled({
    WORKER_COUNT: 2,
    WORKER_CONCURRENCY: CONCURRENCY,
    MAIN_SERVER_URL: `https://localhost:${proxy.port}`,
  });
  await stage.ledger.produce(60);
  const held = await waitFor(
    async () => {
      const { processing } = await stage.ledger.snapshot();
      return processing.length === 2 * CONCURRENCY && processing;
    },
    { what: '8 claims' },
  );
  const pid = await pidOf(fleet, 'worker-1');
  const killedAt = performance.now();
  sendSignal(pid, 'SIGKILL');
  await proxy.setMode('pass');
  const again = await stage.postedAgain(held.map(idOf), killedAt);
  await stage.expectFirstAttempt(fleet, held.map(idOf));
  return { recoveryMs: again - killedAt };
}

async function killDuringPost(stage: Stage): Promise<Findings> {
  const fleet = await stage.startSettled({ WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY });
  const pid = await pidOf(fleet, 'worker-1');
  stage.server.faults.post.delayMs = 100;
  await stage.ledger.produce(300);
  const held = await waitFor(
    () => {
      const open = stage.openPosts().filter(({ worker }) => worker === 'worker-1');
      return stage.server.ledger.posts > 50 && open.length === CONCURRENCY && open;
    },
    { what: 'all slots in a POST' },
  );
  const killedAt = performance.now();
  sendSignal(pid, 'SIGKILL');
  const again = await stage.postedAgain(
    held.map(({ id }) => id),
    killedAt,
  );
  return { recoveryMs: again - killedAt };
}

async function killBeforeAck(stage: Stage): Promise<Findings> {
  const fleet = await stage.startSettled({ WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY });
  const pid = await pidOf(fleet, 'worker-1');
  answerApart(stage, 100);
  await stage.ledger.produce(200);
  const ofVictim = () => stage.openPosts().filter(({ worker }) => worker === 'worker-1');
  const held = await waitFor(() => ofVictim().length === CONCURRENCY && ofVictim(), { what: 'all slots in a POST' });
  stage.redis.freeze();
  await waitFor(() => stage.openPosts().length === 0, { what: 'the answers' });
  await sleep(100); // the worker reads them and finds Redis silent
  sendSignal(pid, 'SIGKILL');
  stage.redis.thaw();
  const thawedAt = performance.now();
  // some may have been acknowledged after all: the command was in Redis's socket
  const repeats = () =>
    held.flatMap(({ id }) => stage.server.ledger.of(id).filter(({ startMs }) => startMs > thawedAt));
  const everythingSettled = async () => Object.values(await stage.ledger.snapshot()).flat().length === 0;
  await waitFor(everythingSettled, { what: 'the queue to be empty', deadlineMs: 20_000 });
  stage.expect(repeats().length > 0, 'nothing was caught between 200 and ack');
  return { recoveryMs: Math.max(...repeats().map(({ startMs }) => startMs)) - thawedAt };
}

/** One answer after the other: while the settlement of the first is under way, others wait for the next one. */
function answerApart(stage: Stage, firstMs: number): void {
  let posts = 0;
  stage.server.onPost = () => (stage.server.faults.post.delayMs = firstMs + (posts++ % CONCURRENCY) * 20);
}

const RETRY_MS = 2_000;

/** Each first POST is answered 500; at every other kill Redis is frozen, so that nothing can be settled before it. */
async function killBeforeSchedule(stage: Stage): Promise<Findings> {
  const kills = 6;
  stage.server.faults.post.failFirst = 1;
  stage.server.faults.post.failStatus = 500;
  answerApart(stage, 20);
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

/** As workers left them: member `<unique> <id>:<message>` (see promote.lua), due one each millisecond from 10 s from now on. */
const SCHEDULE_ALL = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for number = 1, redis.call('LLEN', KEYS[1]) do
  local raw = redis.call('RPOP', KEYS[1])
  redis.call('ZADD', KEYS[2], now + 10000 + number, number .. ' ' .. cjson.decode(raw).message_id .. ':' .. raw)
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
