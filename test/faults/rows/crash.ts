/** Rows 1 to 5: kill -9 of a worker at each step of a message's life. */
import { setTimeout as sleep } from 'node:timers/promises';
import { attemptCountOf, idOf } from '../../support/ledger.js';
import { waitFor } from '../../support/wait-for.js';
import type { Findings, Row } from '../support/row.js';
import { pidOf, pidsOf, sendSignal, type Stage } from '../support/stage.js';

const CONCURRENCY = 4;

export const CRASH_ROWS: readonly Row[] = [
  {
    id: '1',
    fault: 'kill -9 of a worker that waits in its pop',
    bound: 'next one ready < 1 s, 0 dup',
    limits: { recoveryMs: 1_000 },
    run: killWaiting,
  },
  {
    id: '2',
    fault: 'kill -9 after the pop, before the POST',
    bound: 'tried again < 2 s, attempt_count as it was',
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
    fault: 'kill -9 between "failed" and "scheduled", 6 times',
    bound: 'in one place at every look, attempt_count +0 or +1',
    run: killBeforeSchedule,
  },
  {
    id: '5',
    fault: 'kill -9 with 10,000 retries waiting',
    bound: 'each back in the queue ≤ 1 s after its time, 0 dup',
    limits: { recoveryMs: 1_000 },
    run: killWithRetries,
  },
];

async function killWaiting(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY });
  let slowest = 0;
  for (const { id, pid } of await fleet.ready(2)) {
    const killedAt = performance.now();
    sendSignal(pid, 'SIGKILL');
    await stage.ledger.produce(50);
    const isBack = (worker: { id: string; pid: number | null; state: string }) =>
      worker.id === id && worker.pid !== pid && worker.state === 'ready';
    await fleet.until(`the next ${id}`, ({ workers }) => workers.some(isBack));
    slowest = Math.max(slowest, performance.now() - killedAt);
  }
  return { recoveryMs: slowest };
}

/** The way to the main server is black until the kill, so nothing can have been POSTed. */
async function killBeforePost(stage: Stage): Promise<Findings> {
  const proxy = await stage.proxy(stage.server.port);
  await proxy.setMode('blackhole');
  const fleet = await stage.start({
    WORKER_COUNT: 2,
    WORKER_CONCURRENCY: CONCURRENCY,
    MAIN_SERVER_URL: `https://localhost:${proxy.port}`,
  });
  await fleet.ready(2);
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
  const { waiting, processing } = await stage.ledger.snapshot();
  stage.expect(
    [...waiting, ...processing].every((raw) => attemptCountOf(raw) === 0),
    'attempt_count has changed',
  );
  stage.expect(!fleet.logged().includes('(attempt 2/'), 'the kill spent an attempt');
  return { recoveryMs: again - killedAt };
}

async function killDuringPost(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY });
  await fleet.ready(2);
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
  const fleet = await stage.start({ WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY });
  await fleet.ready(2);
  const pid = await pidOf(fleet, 'worker-1');
  stage.server.faults.post.delayMs = 100;
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

/** Each first POST is answered 500; Redis is frozen so that the settlement cannot pass before the kill. */
async function killBeforeSchedule(stage: Stage): Promise<Findings> {
  const kills = 6;
  stage.server.faults.post.failFirst = 1;
  stage.server.faults.post.failStatus = 500;
  stage.server.faults.post.delayMs = 20;
  const fleet = await stage.start({ WORKER_COUNT: 3, WORKER_CONCURRENCY: CONCURRENCY, WORKER_RETRY_INTERVAL: 1 });
  await fleet.ready(3);
  await stage.ledger.produce(600);
  for (let kill = 0; kill < kills; kill++) {
    const victim = await waitFor(async () => (await pidsOf(fleet))[kill % 3], { what: 'three workers' });
    const before = stage.server.ledger.posts;
    await waitFor(() => stage.server.ledger.posts > before, { what: 'a POST' });
    if (kill % 2 === 0) {
      stage.redis.freeze();
      await sleep(100); // the 500s arrive and cannot be settled
    }
    sendSignal(victim, 'SIGKILL');
    stage.redis.thaw();
    for (let look = 0; look < 10; look++) await lookForDoubles(stage);
  }
  await waitFor(() => stage.server.ledger.delivered.size === 600, { what: 'delivery', deadlineMs: 60_000 });
  stage.expect(!fleet.logged().includes('(attempt 3/'), 'attempt_count went up by 2');
  return { duplicatesAllowed: kills * CONCURRENCY };
}

async function lookForDoubles(stage: Stage): Promise<void> {
  const seen = new Set<string>();
  for (const raw of Object.values(await stage.ledger.snapshot()).flat() as Buffer[]) {
    const id = idOf(raw);
    stage.expect(!seen.has(id), `${id} is in two places`);
    seen.add(id);
  }
}

/** As workers left them: due 15 to 20 s from now, member `<unique> <id>:<message>` (see promote.lua). */
const SCHEDULE_ALL = `
local now = redis.call('TIME')[1] * 1000
for number = 1, redis.call('LLEN', KEYS[1]) do
  local raw = redis.call('RPOP', KEYS[1])
  redis.call('ZADD', KEYS[2], now + 15000 + number / 2, number .. ' ' .. cjson.decode(raw).message_id .. ':' .. raw)
end
`;

async function killWithRetries(stage: Stage): Promise<Findings> {
  const { queue, retry } = stage.keys;
  const fleet = await stage.start(
    { WORKER_COUNT: 2, WORKER_CONCURRENCY: 16, LOG_LEVEL: 'WARNING' },
    { prepareOnly: true },
  );
  await stage.ledger.produce(10_000);
  await stage.client.eval(SCHEDULE_ALL, 2, queue, retry);
  fleet.startAgain();
  await fleet.ready(2);
  sendSignal(await pidOf(fleet, 'worker-1'), 'SIGKILL');
  const { waiting, processing } = await stage.ledger.snapshot();
  stage.expect(waiting.length + processing.length === 0, 'retries left before their time, or hold slots');
  let latest = 0;
  while ((await stage.client.zcard(retry)) > 0) {
    const [, due = Infinity] = (await stage.client.call('ZRANGE', retry, '0', '0', 'WITHSCORES')) as string[];
    const [seconds, micros] = await stage.client.time();
    latest = Math.max(latest, Number(seconds) * 1_000 + Number(micros) / 1_000 - Number(due));
    await sleep(20);
  }
  return { recoveryMs: latest };
}
