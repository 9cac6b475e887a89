/** Row 46: an operator acts on very many messages while workers deliver, and command and workers are killed on the way. */
import { hostname, userInfo } from 'node:os';
import { startProgram, type Program } from '../../../support/program/program.js';
import type { Fleet } from '../../../support/program/fleet.js';
import { repeat, waitFor } from '../../../support/wait-for.js';
import type { AuditDocument } from '../../../../supervisor/admin/shapes/deeds.js';
import { runCommand } from '../../support/operated.js';
import { watchStalls } from '../../support/redis/stalls.js';
import type { Findings, Row } from '../../support/row.js';
import { deadIds, seedDead, seedRetries, seedWaiting } from '../../support/seeded.js';
import { pidsOf, sendSignal, type Stage } from '../../support/stage.js';

const WORKERS = 3;
const CONCURRENCY = 8;
/** One after the other, and the supervisor starts each again. */
const KILL_EVERY_MS = 2_000;
const STALL_MS = 20;
/** While commands run, so slow that the oldest, which nobody cancels, are not through before they are. */
const POST_MS = 400;
/** On a machine where commands take long: hardly any more. */
const HELD_POST_MS = 10_000;
/** Of those that are meant, done by a command when it is killed. */
const KILLED_AFTER = [0.1, 0.2];
const AUDIT_LIMIT = 50;
const EXIT_DONE = 0;

interface Size {
  readonly messages: number;
  readonly deadlineMs: number;
}

const SIZE: Size = { messages: 100_000, deadlineMs: 120_000 };
const FULL_SIZE: Size = { messages: 1_000_000, deadlineMs: 1_200_000 };

export const BULK_ACTION_ROWS: readonly Row[] = [
  row('46a', 'message retry --all and cancel by client', retryAndCancel),
  row('46b', 'dead replay by client and purge', replayAndPurge),
];

function row(id: string, what: string, run: (stage: Stage, size: Size) => Promise<Findings>): Row {
  const fault = ({ messages }: Size): string =>
    `${what} of ${messages.toLocaleString('en')}, killed twice and repeated, by two at once; 3 workers deliver and are killed`;
  return {
    id,
    fault: fault(SIZE),
    bound: 'each in exactly one place; the audit tells; Redis held ≤ 20 ms; ≤ kills × C dup',
    alone: true,
    run: (stage) => run(stage, SIZE),
    full: { fault: fault(FULL_SIZE), limitMs: 3_600_000, run: (stage) => run(stage, FULL_SIZE) },
  };
}

/** Half wait for a worker, the oldest of them nobody cancels; half for their retry. */
async function retryAndCancel(stage: Stage, { messages, deadlineMs }: Size): Promise<Findings> {
  const half = messages / 2;
  const clientOf = (number: number, kept: number): string => (number < kept || number % 100 === 0 ? 'kept' : 'gone');
  const kinds = [
    { count: half, kind: 'w', clientOf: (number: number) => clientOf(number, messages / 25) },
    { count: half, kind: 'r', clientOf: (number: number) => clientOf(number, 0) },
  ] as const;
  await seedWaiting(stage, kinds[0]);
  await seedRetries(stage, kinds[1]);
  const { client, keys } = stage;
  const findings = await underFire(stage, messages / 30, async (fleet) => {
    const all: Deed = { action: 'retry', args: ['message', 'retry', '--all'], filter: null };
    const later = async (): Promise<number> => client.zcount(keys.retry, Date.now() + 60_000, '+inf');
    await killedAndRepeated(fleet, { deed: all, meant: half, left: later, deadlineMs });
    const gone = cancelOf('gone');
    const meant = kinds.flatMap(({ kind, count, clientOf: of }) => idsOf(kind, count, of, 'gone')).length;
    const left = async (): Promise<number> => meant - (await client.zcard(keys.deadIndex));
    await killedAndRepeated(fleet, { deed: gone, meant, left, deadlineMs });
    return [all, gone];
  });
  const kept = kinds.flatMap(({ kind, count, clientOf: of }) => idsOf(kind, count, of, 'kept'));
  stage.ledger.count(kept);
  await atRest(stage, kept.length, deadlineMs);
  const dead = await deadIds(stage);
  const cancelled = kinds.flatMap(({ kind, count, clientOf: of }) => idsOf(kind, count, of, 'gone'));
  expectPlaces(stage, cancelled, (id) => (dead.get(id) ?? 0) + (stage.server.ledger.delivered.has(id) ? 1 : 0), 1);
  expectPlaces(stage, kept, (id) => dead.get(id) ?? 0, 0);
  await client.unlink(keys.deadIndex, keys.deadLetters, keys.untold);
  return { ...findings, note: `${dead.size} cancelled; ${findings.note}` };
}

function cancelOf(gone: string): Deed {
  return { action: 'cancel', args: ['message', 'cancel', '--client', gone], filter: { client: gone } };
}

/** A tenth of the dead is replayed, the others are purged. */
async function replayAndPurge(stage: Stage, { messages, deadlineMs }: Size): Promise<Findings> {
  const clientOf = (number: number): string => (number % 10 === 0 ? 'kept' : 'gone');
  const load = { count: messages / 50, kind: 'w', clientOf: () => 'kept' };
  const seeds = { count: messages, kind: 'd', clientOf };
  await seedWaiting(stage, load);
  await seedDead(stage, seeds);
  const { client, keys } = stage;
  const [kept, gone] = [idsOf('d', messages, clientOf, 'kept'), idsOf('d', messages, clientOf, 'gone')];
  const findings = await underFire(stage, Infinity, async (fleet) => {
    const deedOf = (action: 'replay' | 'purge', of: string): Deed => ({
      action,
      args: ['dead', action, '--client', of],
      filter: { client: of },
    });
    const [replay, purge] = [deedOf('replay', 'kept'), deedOf('purge', 'gone')];
    const letters = (): Promise<number> => client.zcard(keys.deadIndex);
    const left = async (): Promise<number> => (await letters()) - gone.length;
    await killedAndRepeated(fleet, { deed: replay, meant: kept.length, left, deadlineMs });
    await killedAndRepeated(fleet, { deed: purge, meant: gone.length, left: letters, deadlineMs });
    return [replay, purge];
  });
  const all = [...kept, ...idsOf('w', load.count, load.clientOf, 'kept')];
  stage.ledger.count(all);
  await atRest(stage, all.length, deadlineMs);
  const dead = await deadIds(stage);
  stage.expect(dead.size === 0, `${dead.size} dead letters are left`);
  expectPlaces(stage, gone, (id) => (stage.server.ledger.delivered.has(id) ? 1 : 0), 0);
  return { ...findings, note: `${gone.length} purged, ${kept.length} replayed; ${findings.note}` };
}

function idsOf(kind: string, count: number, clientOf: (number: number) => string, client: string): string[] {
  const numbers = Array.from({ length: count }, (_, number) => number);
  return numbers.filter((number) => clientOf(number) === client).map((number) => `${kind}${number}`);
}

/**
 * What the operator does while workers deliver and are killed, and what audit and Redis tell of it. A message that a killed
 * worker had delivered may be cancelled and told as failed: so not more are delivered meanwhile than nobody cancels.
 */
async function underFire(
  stage: Stage,
  mostDelivered: number,
  operate: (fleet: Fleet) => Promise<readonly Deed[]>,
): Promise<Findings & { readonly note: string }> {
  const { faults } = stage.server;
  faults.post.delayMs = POST_MS;
  const fleet = await stage.start({
    WORKER_COUNT: WORKERS,
    WORKER_CONCURRENCY: CONCURRENCY,
    WORKER_CONCURRENCY_CONTROL: 'fixed',
  });
  await fleet.ready(WORKERS);
  const stalls = await watchStalls(stage.client, stage.redis.pid, STALL_MS);
  let kills = 0;
  const killing = repeat(async () => {
    const pids = await pidsOf(fleet);
    if (stage.server.ledger.delivered.size > mostDelivered) faults.post.delayMs = HELD_POST_MS;
    // all may be about to be started again
    if (pids.length === 0) return;
    sendSignal(pids[kills % pids.length], 'SIGKILL');
    kills += 1;
  }, KILL_EVERY_MS);
  const deeds = await operate(fleet);
  await killing.stop();
  const held = await stalls.stop();
  const told = held.slice(0, 3).map(({ ms, command }) => `${ms.toFixed(0)} ms by ${command}`);
  stage.expect(held.length === 0, `Redis was held ${held.length} times: ${told.join('; ')}`);
  const audit = await runCommand(fleet, 'audit', '--json', '--limit', String(AUDIT_LIMIT));
  expectAudit(stage, JSON.parse(audit) as AuditDocument, deeds);
  faults.post.delayMs = 0;
  return { duplicatesAllowed: kills * CONCURRENCY, note: `${kills} workers killed` };
}

interface Deed {
  readonly action: 'retry' | 'cancel' | 'replay' | 'purge';
  readonly args: readonly string[];
  /** As the audit tells it. */
  readonly filter: object | null;
}

interface Attempted {
  readonly deed: Deed;
  readonly meant: number;
  /** Of these, not done yet. */
  readonly left: () => Promise<number>;
  readonly deadlineMs: number;
}

/** Killed twice on the way; then two operators give it at once, and both come to its end. */
async function killedAndRepeated(fleet: Fleet, { deed, meant, left, deadlineMs }: Attempted): Promise<void> {
  const give = () => startProgram({ args: [...deed.args, '--yes'], cwd: fleet.cwd });
  for (const share of KILLED_AFTER) {
    const before = await left();
    const program = give();
    const isMidway = async () => (await left()) <= before - meant * share || program.exit;
    await waitFor(isMidway, { what: `${deed.args.join(' ')} to have begun`, everyMs: 1, deadlineMs });
    program.signal('SIGKILL');
    const { signal, code } = await program.waitForExit();
    if (signal !== 'SIGKILL') throw new Error(endOf(deed, program, code));
  }
  const operators = [give(), give()];
  for (const operator of operators) {
    const { code } = await operator.waitForExit(deadlineMs);
    if (code !== EXIT_DONE) throw new Error(endOf(deed, operator, code));
  }
  const remaining = await left();
  if (remaining > 0) throw new Error(`${deed.args.join(' ')} has left ${remaining}`);
}

function endOf({ args }: Deed, { lines }: Program, code: number | null): string {
  return `${args.join(' ')} ended with exit code ${code}: ${lines.map(({ text }) => text).join(' ')}`;
}

/** Each command has a line when it begins, and one with its count when it ends: one that was killed has the first alone. */
function expectAudit(stage: Stage, { entries }: AuditDocument, deeds: readonly Deed[]): void {
  for (const { action, filter } of deeds) {
    const ours = entries.filter((entry) => entry.action === action);
    const begun = ours.filter(({ detail, count }) => detail === 'begins' && count === null);
    const ended = ours.filter(({ count }) => count !== null);
    const [given, through] = [KILLED_AFTER.length + 2, 2];
    const told = `${begun.length} of ${given} begin and ${ended.length} of ${through} end`;
    stage.expect(begun.length === given && ended.length === through, `by the audit ${told}: ${action}`);
    const isTold = ours.every((entry) => entry.who === userInfo().username && entry.where === hostname());
    stage.expect(isTold, `the audit does not tell who gave each ${action}`);
    const isMeant = ours.every((entry) => JSON.stringify(entry.filter) === JSON.stringify(filter));
    stage.expect(isMeant, `the audit does not tell what each ${action} meant`);
  }
}

async function atRest({ client, keys, server }: Stage, delivered: number, deadlineMs: number): Promise<void> {
  const isAtRest = async (): Promise<boolean> =>
    server.ledger.delivered.size >= delivered &&
    (await client.llen(keys.queue)) + (await client.zcard(keys.retry)) === 0;
  await waitFor(isAtRest, { what: `${delivered} to be delivered and the queue to be empty`, deadlineMs, everyMs: 200 });
}

function expectPlaces(stage: Stage, ids: readonly string[], placesOf: (id: string) => number, wanted: 0 | 1): void {
  const wrong = ids.filter((id) => placesOf(id) !== wanted);
  const told = wrong.slice(0, 3).map((id) => `${id} in ${placesOf(id)} places`);
  stage.expect(wrong.length === 0, `${wrong.length} are where they should not be: ${told.join(', ')}`);
}
