/** Row 28: the main server answers, but does not know the message, or not what it did. */
import { countDead } from '../../support/redis/queue.js';
import { waitFor } from '../../support/wait-for.js';
import { storyOf } from '../support/final-state.js';
import type { Findings, Row } from '../support/row.js';
import type { Stage } from '../support/stage.js';

const SETTINGS = { WORKER_COUNT: 2, WORKER_CONCURRENCY: 4, WORKER_RETRY_INTERVAL: 3 };

export const ANSWER_ROWS: readonly Row[] = [
  {
    id: '28a',
    fault: '404 for 500 ms: the message is not registered yet',
    bound: 'delivered ≤ 1 s after it is, no attempt spent',
    limits: { recoveryMs: 1_000 },
    run: notRegisteredYet,
  },
  {
    id: '28b',
    fault: '404 for ever for 10 of 210 messages, max_attempts 3',
    bound: 'those 10 dead and reported failed, the others not held up',
    limits: { dead: 10 },
    run: neverRegistered,
  },
  {
    id: '28c',
    fault: '500 although it was delivered, slow PUTs',
    bound: 'PUT and POST of one message never at once, final state delivered',
    run: failedAfterCommit,
  },
];

async function notRegisteredYet(stage: Stage): Promise<Findings> {
  const unknownForMs = 500;
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  stage.server.faults.unknownForMs = unknownForMs;
  await stage.ledger.produce(8);
  await waitFor(() => stage.server.ledger.delivered.size === 8, { what: 'delivery', deadlineMs: 15_000 });
  const waits = stage.ledger.produced.map((id) => {
    const posts = stage.server.ledger.of(id, 'POST');
    return (posts.at(-1)?.endMs ?? Infinity) - (posts[0]?.startMs ?? 0) - unknownForMs;
  });
  stage.expect(!fleet.logged().includes('delivery failed'), 'an attempt was spent');
  return { recoveryMs: Math.max(...waits) };
}

async function neverRegistered(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({
    ...SETTINGS,
    WORKER_RETRY_INTERVAL: 1,
    WORKER_MAX_ATTEMPTS: 3,
    WORKER_NOT_FOUND_GRACE: 0,
  });
  await fleet.ready(2);
  const unknown = Array.from({ length: 10 }, (_, number) => `unknown-${number}`);
  for (const id of unknown) {
    stage.server.faults.unknownIds.add(id);
    await stage.ledger.produceRaw(id, JSON.stringify({ message_id: id, attempt_count: 0 }));
  }
  const producedAt = performance.now();
  await stage.ledger.produce(200);
  await waitFor(() => stage.server.ledger.delivered.size === 200, { what: 'the others' });
  const othersMs = performance.now() - producedAt;
  stage.expect(othersMs < 3_000, `the others took ${othersMs.toFixed(0)} ms`);
  await waitFor(async () => (await countDead(stage.client)) === 10, {
    what: '10 dead letters',
    deadlineMs: 20_000,
  });
  const attempts = unknown.map((id) => stage.server.ledger.of(id, 'POST').length);
  stage.expect(
    attempts.every((count) => count === 3),
    `POSTs of the unknown: ${attempts.join(', ')}`,
  );
  const last = unknown.map((id) => stage.server.ledger.of(id, 'PUT').at(-1)?.body as { status?: string } | undefined);
  stage.expect(
    last.every((body) => body?.status === 'failed'),
    'not all were reported as failed',
  );
  return { note: `others after ${othersMs.toFixed(0)} ms` };
}

async function failedAfterCommit(stage: Stage): Promise<Findings> {
  const { faults, ledger } = stage.server;
  faults.post.failFirst = 2;
  faults.post.failStatus = 500;
  faults.put.delayMs = 1_500; // longer than until the next POST
  const fleet = await stage.start({ ...SETTINGS, WORKER_RETRY_INTERVAL: 1 });
  await fleet.ready(2);
  await stage.ledger.produce(60);
  await waitFor(() => ledger.delivered.size === 60, { what: 'delivery', deadlineMs: 30_000 });
  const { overlapping } = storyOf(ledger);
  stage.expect(overlapping.length === 0, `PUT and POST at once: ${overlapping.slice(0, 5).join(', ')}`);
  return {};
}
