/** Rows 1 to 3: kill -9 of a worker before, during and after the POST. */
import { setTimeout as sleep } from 'node:timers/promises';
import { idOf } from '../../support/ledger.js';
import { waitFor } from '../../support/wait-for.js';
import type { Findings, Row } from '../support/row.js';
import { pidOf, sendSignal, type Stage } from '../support/stage.js';

const CONCURRENCY = 4;

export const CRASH_ROWS: readonly Row[] = [
  {
    id: '1',
    fault: 'kill -9 of a worker that waits in its pop, one after the other of 3',
    bound: 'the next one ready < 1 s (median; each < 2 s), 0 dup',
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
];

async function killWaiting(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 3, WORKER_CONCURRENCY: CONCURRENCY });
  const times: number[] = [];
  for (const { id, pid } of await fleet.ready(3)) {
    await waitFor(() => waitsInPop(stage, id), { what: `the pop of ${id}` });
    const killedAt = performance.now();
    sendSignal(pid, 'SIGKILL');
    // Redis may give one of these to the dead pop
    await stage.ledger.produce(50);
    const isBack = (worker: { id: string; pid: number | null; state: string }) =>
      worker.id === id && worker.pid !== pid && worker.state === 'ready';
    await fleet.until(`the next ${id}`, ({ workers }) => workers.some(isBack));
    times.push(performance.now() - killedAt);
  }
  const [, middle = Infinity, slowest = Infinity] = times.sort((one, other) => one - other);
  stage.expect(slowest < 2_000, `the slowest was ready after ${slowest.toFixed(0)} ms`);
  return { recoveryMs: middle, note: `slowest ${(slowest / 1_000).toFixed(2)} s` };
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
  stage.answerApart(CONCURRENCY, 100);
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
