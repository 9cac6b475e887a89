/** Row 52: an operator has messages tried again while the main server is being told of them, and Redis's clock goes wrong. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../../../../scripts/local/redis-process.js';
import type { Exchange } from '../../../../scripts/main-server/ledger.js';
import type { DeadLetterRunAnswer } from '../../../../supervisor/admin/shapes/dead-letters.js';
import { messageText } from '../../../support/ledger.js';
import type { Fleet } from '../../../support/program/fleet.js';
import { plainClient } from '../../../support/redis/redis.js';
import { waitFor } from '../../../support/wait-for.js';
import { runCommand } from '../../support/operated.js';
import { COMPILER } from '../../support/programs.js';
import { SteppedClock } from '../../support/redis/stepped-clock.js';
import type { Findings, Row } from '../../support/row.js';
import type { Stage } from '../../support/stage.js';

const WORKERS = 3;
/** Of each kind; as many are told at once. */
const MESSAGES = 6;
/** Less than any status may take, and longer than a command needs to begin. */
const PUT_MS = 8_000;
/** domain/clocks/status-window.ts, for an interval of 30 s. */
const FAILURE_TO_TELLING_MS = 12_000;
/** From the answer of a POST to the beginning of its status. */
const TELLING_MS = 300;
/** A burial of which the main server was told in vain, since the PUT had to wait for another, is told again after a minute. */
const TOLD_AGAIN_MS = 120_000;
const HOUR_S = 3_600;
const ALL_ROUNDS = 10;
const TOKEN = 'a-token-of-32-characters-at-least';

export const TOLD_MEANWHILE_ROWS: readonly Row[] = [
  {
    id: '52',
    fault:
      "message retry, cancel, dead replay and purge while PUTs hang and burials are told; Redis's clock jumps 1 h ahead",
    bound: 'the last word is the delivery',
    needs: [COMPILER],
    run: (stage) => rounds(stage, 1),
    full: { limitMs: 1_200_000, run: (stage) => rounds(stage, ALL_ROUNDS) },
  },
];

async function rounds(stage: Stage, count: number): Promise<Findings> {
  const clock = await SteppedClock.make(stage);
  const redis = await startRedis({ binary: await clock.redisBinary() });
  stage.onClose(() => redis.stop());
  stage.lookAt(plainClient(redis.port));
  const fleet = await stage.start({
    REDIS_PORT: redis.port,
    WORKER_COUNT: WORKERS,
    WORKER_CONCURRENCY: 8,
    WORKER_CONCURRENCY_CONTROL: 'fixed',
    SUPERVISOR_ADMIN_TOKEN: TOKEN,
  });
  await fleet.ready(WORKERS);
  let hanging = '';
  for (let round = 1; round <= count; round += 1) {
    hanging = await playRound(stage, fleet, { clock, round });
    stage.server.faults.put.delayMs = 0;
    await stage.ledger.quiet();
  }
  return { note: `${hanging} hung when the clock jumped` };
}

interface Round {
  readonly clock: SteppedClock;
  readonly round: number;
}

/** What was under way when the clock jumped. */
async function playRound(stage: Stage, fleet: Fleet, { clock, round }: Round): Promise<string> {
  const { faults } = stage.server;
  Object.assign(faults.post, { failFirst: 1, failStatus: 500 });
  faults.put.delayMs = PUT_MS;
  // cancelled, and told of as failed when no status of their failure can be on its way
  const buried = [...(await failed(stage, 'replayed', round)), ...(await failed(stage, 'purged', round))];
  const failedAt = performance.now();
  await runCommand(fleet, 'message', 'cancel', ...buried);
  // so that the others, too, are being told of then
  await sleep(failedAt + FAILURE_TO_TELLING_MS - 2_000 - performance.now());
  const [hastened, cancelled] = await Promise.all([
    failed(stage, 'hastened', round),
    failed(stage, 'cancelled', round),
    waitFor(() => puts(stage, 'failed').length >= (round - 0.5) * MESSAGES, { what: 'PUTs of "failed"' }),
  ]);
  await sleep(TELLING_MS);
  const [queued, failing] = (['queued', 'failed'] as const).map((status) => puts(stage, status).filter(isOpen).length);
  const hanging = `${queued} PUTs of "queued" and ${failing} of "failed"`;
  clock.stepTo(round * HOUR_S);
  // over HTTP, since a command may take seconds to begin, and PUTs do not hang for ever
  await ask(fleet, '/messages/cancel', { ids: cancelled });
  await Promise.all([
    ask(fleet, '/messages/retry', { all: true }),
    replay(fleet, [...buried.filter((id) => id.startsWith('replayed-')), ...cancelled]),
    purgedAndSentAgain(stage, fleet, round),
    // what was on its way has arrived
    sleep(PUT_MS + 500).then(() => (faults.put.delayMs = 0)),
  ]);
  await waitFor(() => [...buried, ...hastened, ...cancelled].every((id) => stage.server.ledger.delivered.has(id)), {
    what: 'all to be delivered',
    deadlineMs: 60_000,
  });
  return hanging;
}

/** What is being told stays, and is asked for again. */
async function replay(fleet: Fleet, ids: readonly string[]): Promise<void> {
  const isDone = async () =>
    ((await ask(fleet, '/dead/replay', { ids })) as DeadLetterRunAnswer).being_told === undefined;
  await waitFor(isDone, { what: 'all to be replayed', everyMs: 1_000, deadlineMs: TOLD_AGAIN_MS });
}

/** The producers send them once more as soon as they are gone. */
async function purgedAndSentAgain({ client, keys }: Stage, fleet: Fleet, round: number): Promise<void> {
  const isDone = async (): Promise<boolean> => {
    const printed = await runCommand(fleet, 'dead', 'purge', '--id-prefix', `purged-${round}-`, '--yes', '--json');
    const { being_told: left } = JSON.parse(printed.slice(printed.indexOf('{'))) as DeadLetterRunAnswer;
    return left === undefined;
  };
  await waitFor(isDone, { what: 'all to be purged', everyMs: 1_000, deadlineMs: TOLD_AGAIN_MS });
  const ids = Array.from({ length: MESSAGES }, (_, at) => `purged-${round}-${at}`);
  await client.lpush(keys.queue, ...ids.map((id) => messageText(id)));
}

async function ask(fleet: Fleet, path: string, body: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', connection: 'close' };
  const url = `http://127.0.0.1:${fleet.port}${path}`;
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`);
  return response.json();
}

/** Messages that have failed once; a status of each is on its way, unless the machine is too busy to send it in time. */
async function failed({ ledger, server }: Stage, kind: string, round: number): Promise<readonly string[]> {
  const ids = Array.from({ length: MESSAGES }, (_, at) => `${kind}-${round}-${at}`);
  for (const id of ids) await ledger.produceRaw(id, messageText(id));
  const hasFailed = (id: string): boolean => server.ledger.of(id, 'POST')[0]?.endMs !== undefined;
  await waitFor(() => ids.every(hasFailed), { what: `POSTs of ${kind} to fail` });
  return ids;
}

function puts({ server }: Stage, status: string): readonly Exchange[] {
  const isMeant = ({ method, body }: Exchange): boolean =>
    method === 'PUT' && (body as { status?: string }).status === status;
  return [...server.ledger.exchanges.values()].flat().filter(isMeant);
}

function isOpen({ endMs }: Exchange): boolean {
  return endMs === undefined;
}
