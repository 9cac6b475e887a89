/** Rows 31 to 34: whatever freezes, comes late or comes twice, the main server's last word on a delivered message is the delivery. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exchange } from '../../../../scripts/main-server/ledger.js';
import { POISON_CRASHES } from '../../../../src/domain/dead-letters/dead-letter.js';
import { consumerName } from '../../../../src/queue/keys.js';
import { countDead } from '../../../support/redis/queue.js';
import { waitFor } from '../../../support/wait-for.js';
import type { Findings, Row } from '../../support/row.js';
import { sendSignal, type Stage } from '../../support/stage.js';

const FREEZES = 12;
const COPIES = [2, 3, 4, 5, 2, 3, 4, 5];
/** Whoever hears nothing asks again: how often is not the question here. */
const ANY_NUMBER = Infinity;
/** Above what Linux gives. */
const PID_OF_NOBODY = 4_194_305;

export const LAST_WORD_ROWS: readonly Row[] = [
  {
    id: '31',
    fault: `a worker is frozen while it tells of a failure, and thawed when another has delivered, ${FREEZES} times`,
    bound: 'the last word is the delivery',
    limits: { duplicates: ANY_NUMBER },
    run: frozenWhileTelling,
  },
  {
    id: '32a',
    fault: 'a serial server takes longer than MAIN_SERVER_TIMEOUT for the first POST of each message',
    bound: 'no "queued" after the delivery, at any moment',
    limits: { duplicates: ANY_NUMBER },
    run: (stage) => lateAnswers(stage, 10_000),
  },
  {
    id: '32b',
    fault: 'the same with WORKER_MAX_ATTEMPTS=1: each attempt is the last',
    bound: 'no "failed" after the delivery, nothing dead',
    limits: { duplicates: ANY_NUMBER },
    run: (stage) => lateAnswers(stage, 1),
  },
  {
    id: '33',
    fault: 'the same id 2 to 5 times in the queue of one worker, half of the POSTs fail, slow PUTs',
    bound: 'PUT and POST of one id never at once, the last word is the delivery',
    limits: { duplicates: ANY_NUMBER },
    run: copies,
  },
  {
    id: '34',
    fault: 'PUT "failed" of spent messages and of poison answered 500, 503 and not at all in turn, over a restart; 422',
    bound: 'every burial told in the end, others not held up',
    limits: { dead: 5 },
    run: hardToTell,
  },
];

async function frozenWhileTelling(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 3, WORKER_CONCURRENCY: 2, WORKER_RETRY_INTERVAL: 1 });
  const workers = await fleet.ready(3);
  const { faults, ledger } = stage.server;
  faults.post.failFirst = 1;
  faults.post.failStatus = 500;
  faults.put.failFirst = 1; // answered 503: the worker pauses 200 ms, and tells again
  let overtaken = 0;
  for (let round = 0; round < FREEZES; round += 1) {
    const [id = ''] = await stage.ledger.produce(1);
    await waitFor(() => ledger.of(id, 'PUT')[0]?.endMs !== undefined, { what: 'the first PUT', deadlineMs: 15_000 });
    const { worker_id: workerId } = ledger.of(id, 'POST')[0]?.body as { worker_id: string };
    const pid = workers.find(({ id: its }) => its === workerId)?.pid ?? 0;
    await sleep(round * 15); // some within the pause, some in the PUT after it
    sendSignal(pid, 'SIGSTOP');
    const frozenAt = performance.now();
    // it may hold the retry itself, claimed as it froze
    while (!ledger.delivered.has(id) && performance.now() - frozenAt < 3_000) await sleep(10);
    if (ledger.delivered.has(id)) overtaken += 1;
    sendSignal(pid, 'SIGCONT');
    await waitFor(() => ledger.delivered.has(id), { what: 'delivery', deadlineMs: 15_000 });
  }
  await sleep(1_500); // what was frozen would be told by now
  stage.expect(overtaken >= FREEZES / 3, `only ${overtaken} frozen workers were overtaken`);
  return { note: `${overtaken} of ${FREEZES} overtaken` };
}

async function lateAnswers(stage: Stage, maxAttempts: number): Promise<Findings> {
  const settings = { WORKER_COUNT: 1, WORKER_CONCURRENCY: 2, WORKER_RETRY_INTERVAL: 2, MAIN_SERVER_TIMEOUT: 1 };
  const fleet = await stage.start({ ...settings, WORKER_MAX_ATTEMPTS: maxAttempts });
  await fleet.ready(1);
  const { faults, ledger } = stage.server;
  faults.serialMs = 1_500;
  await stage.ledger.produce(2);
  await waitFor(() => ledger.delivered.size === 2, { what: 'what nobody waits for any more', deadlineMs: 20_000 });
  await sleep(3_500); // one more interval: whoever believed that it failed has said so
  faults.serialMs = 0;
  const regressions = [...ledger.exchanges].filter(([, exchanges]) => wentBack(exchanges)).map(([id]) => id);
  stage.expect(regressions.length === 0, `a status followed the delivery of ${regressions.join(', ')}`);
  return {};
}

function wentBack(exchanges: readonly Exchange[]): boolean {
  const done = exchanges.filter(({ status }) => status === 200);
  const deliveredMs = Math.min(...done.filter(({ method }) => method === 'POST').map(({ endMs }) => endMs ?? Infinity));
  return done.some(({ method, endMs }) => method === 'PUT' && (endMs ?? Infinity) > deliveredMs);
}

async function copies(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 1, WORKER_CONCURRENCY: 8, WORKER_RETRY_INTERVAL: 1 });
  await fleet.ready(1);
  const { faults, ledger } = stage.server;
  faults.post.failRate = 0.5;
  faults.post.failStatus = 500;
  faults.post.delayMs = 50;
  faults.put.delayMs = 300;
  for (const [number, count] of COPIES.entries()) {
    const id = `copied-${number}`;
    const raw = (copy: number) => JSON.stringify({ message_id: id, attempt_count: 0, copy });
    await stage.ledger.produceRaw(id, raw(0));
    await stage.client.lpush(stage.keys.queue, ...Array.from({ length: count - 1 }, (_, at) => raw(at + 1)));
  }
  await waitFor(() => ledger.delivered.size === COPIES.length, { what: 'delivery', deadlineMs: 30_000 });
  return { note: `${ledger.posts} POSTs` };
}

/** Of messages out of attempts, and of one that was in flight at its tenth death. */
async function hardToTell(stage: Stage): Promise<Findings> {
  const { faults, ledger } = stage.server;
  const settings = { WORKER_COUNT: 1, WORKER_CONCURRENCY: 2, WORKER_RETRY_INTERVAL: 1, WORKER_MAX_ATTEMPTS: 1 };
  faults.put.status = 500;
  await diesOf(stage, 'poison');
  const fleet = await stage.start({ ...settings, MAIN_SERVER_TIMEOUT: 1 });
  await fleet.ready(1);
  const ids = ['spent-0', 'spent-1', 'spent-2'];
  const bury = (id: string) => stage.ledger.produceRaw(id, JSON.stringify({ message_id: id, attempt_count: 1 }));
  for (const id of ids) await bury(id);
  const dead = (count: number) => async () => (await countDead(stage.client)) === count;
  await waitFor(dead(4), { what: 'dead letters', deadlineMs: 20_000 });
  for (const fault of [{ status: 500 }, { status: 503 }, { status: undefined, hang: true }]) {
    Object.assign(faults.put, fault);
    const before = ledger.puts;
    await waitFor(() => ledger.puts >= before + 2, { what: 'the next PUTs', deadlineMs: 40_000 });
  }
  const [other = ''] = await stage.ledger.produce(1);
  await waitFor(() => ledger.delivered.has(other), { what: 'another message', deadlineMs: 15_000 });
  fleet.program.signal('SIGTERM');
  await fleet.program.waitForExit();
  Object.assign(faults.put, { hang: false, status: undefined });
  fleet.startAgain();
  await fleet.ready(1);
  const isTold = (id: string) => ledger.of(id, 'PUT').some(({ status }) => status === 200);
  for (const id of [...ids, 'poison']) {
    await waitFor(() => isTold(id), { what: `the main server to hear of ${id}`, deadlineMs: 90_000 });
  }
  faults.put.status = 422;
  await bury('refused');
  await waitFor(dead(5), { what: 'the refused one', deadlineMs: 10_000 });
  const untold = await stage.client.zcard(stage.keys.untold);
  stage.expect(untold === 0, `${untold} burials are still to be told`);
  return {};
}

/** A process of this host is gone that held it, as nine were before. */
async function diesOf({ client, keys, ledger }: Stage, id: string): Promise<void> {
  const raw = JSON.stringify({ message_id: id, attempt_count: 0 });
  const consumer = consumerName('worker-9', PID_OF_NOBODY, 'gone');
  await ledger.produceRaw(id, raw);
  await client.rpoplpush(keys.queue, keys.processing(consumer));
  await client.zadd(keys.consumers, 1, consumer);
  await client.hset(keys.crashes, createHash('sha1').update(raw).digest('hex'), POISON_CRASHES - 1);
}
