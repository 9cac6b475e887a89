/** Plays one row in a process of its own and sends the result to the runner: node run-row.js 6b, or run-row.js 48 --full */
import { setTimeout as sleep } from 'node:timers/promises';
import { LONG_ROWS, ROWS } from './rows.js';
import { storyOf } from './support/final-state.js';
import { atFullSize, type Findings, type Row, type RowResult } from './support/row.js';
import { Stage } from './support/stage.js';

const QUIET_DEADLINE_MS = 40_000;
const QUIET_LOOK_MS = 200;
const TAIL_LINES = 25;
/** Of how many messages that were delivered twice all is told. */
const TOLD = 3;

async function play(row: Row): Promise<RowResult> {
  const opening = Stage.open(row.redis);
  leaveNothing(opening);
  const stage = await opening;
  try {
    const findings = (await row.run(stage).catch((error: unknown) => failed(stage, error))) ?? {};
    return await judge(row, stage, findings);
  } finally {
    await stage.close();
  }
}

/** Ctrl-C, or a runner that is gone: Redis runs in a group of its own and would outlive us. */
function leaveNothing(opening: Promise<Stage>): void {
  const leave = () => void opening.then((stage) => stage.close()).finally(() => process.exit(1));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, leave);
  process.once('disconnect', leave);
}

function failed(stage: Stage, error: unknown): undefined {
  stage.problems.push(error instanceof Error ? error.message : String(error));
  return undefined;
}

async function judge(row: Row, stage: Stage, findings: Findings): Promise<RowResult> {
  const { limits = {} } = row;
  const dead = limits.dead ?? 0;
  const account = await quiet(stage, dead, findings);
  const { backwards, duplicates, overlapping, twice } = storyOf(stage.server.ledger);
  const lost = account.lost.filter((id) => !findings.lostByRedis?.has(id));
  const allowed = findings.duplicatesAllowed ?? limits.duplicates ?? 0;
  stage.expect(lost.length === 0, `lost: ${lost.slice(0, 5).join(', ')}`);
  stage.expect(duplicates <= allowed, `${duplicates} duplicates, ${allowed} allowed`);
  stage.expect(account.misplaced.length === 0, `in two places: ${account.misplaced.slice(0, 5).join(', ')}`);
  stage.expect(account.dead === dead, `${account.dead} dead letters, ${dead} expected`);
  stage.expect(overlapping.length === 0, `PUT and POST at once: ${overlapping.slice(0, 5).join(', ')}`);
  stage.expect(backwards.length === 0, `status went back from delivered: ${backwards.slice(0, 5).join(', ')}`);
  const told = duplicates <= allowed ? [] : twice.slice(0, TOLD).flatMap((id) => allOf(stage, id));
  const { recoveryMs } = findings;
  if (limits.recoveryMs !== undefined) {
    const inTime = recoveryMs !== undefined && recoveryMs <= limits.recoveryMs;
    stage.expect(inTime, `recovery took ${recoveryMs?.toFixed(0) ?? 'no'} ms, bound ${limits.recoveryMs} ms`);
  }
  return {
    id: row.id,
    fault: row.fault,
    bound: row.bound,
    produced: stage.ledger.produced.length,
    delivered: account.delivered,
    lost: lost.length,
    duplicates,
    recoveryMs: recoveryMs ?? null,
    note: findings.note ?? '',
    problems: stage.problems,
    tail: [...told, ...(stage.problems.length > 0 ? tailOf(stage) : [])],
  };
}

/** Every message delivered or dead, and nothing under way; after the deadline the account as it then is. */
async function quiet(stage: Stage, dead: number, { lostByRedis }: Findings) {
  const begun = performance.now();
  for (;;) {
    const account = await stage.ledger.accountFor();
    const { delivered, waiting, processing, retry } = account;
    const gone = lostByRedis ? account.lost.length : 0;
    const isQuiet = waiting + processing + retry === 0 && delivered + dead + gone >= stage.ledger.produced.length;
    if (isQuiet || account.lost.length > gone) return account;
    if (performance.now() - begun > QUIET_DEADLINE_MS) {
      stage.problems.push(
        `not quiet: ${delivered} delivered, ${waiting} waiting, ${processing} processing, ${retry} retry`,
      );
      return account;
    }
    await sleep(QUIET_LOOK_MS);
  }
}

/** What the main server was asked about it, ms since the first time, and every line that names it. */
function allOf({ server, programs }: Stage, id: string): string[] {
  const exchanges = server.ledger.of(id);
  const at = (ms: number | undefined) => (ms === undefined ? 'never' : (ms - (exchanges[0]?.startMs ?? 0)).toFixed(0));
  const asked = exchanges.map(({ method, body, startMs, endMs, status }) => {
    const { worker_id: worker = 'somebody' } = body as { readonly worker_id?: string };
    return `${method} by ${worker} at ${at(startMs)}, ${status ?? 'not'} answered at ${at(endMs)}`;
  });
  const names = new RegExp(`(?<![\\w-])${id}(?![\\w-])`);
  const lines = programs.flatMap((program) => program.lines.map(({ text }) => `pid ${program.pid}: ${text}`));
  return [`${id}: ${asked.join('; ')}`, ...lines.filter((line) => names.test(line))];
}

function tailOf(stage: Stage): string[] {
  const isTelling = (text: string) => !/- INFO - \[.*\] - (Processing m|M)essage /.test(text);
  return stage.programs.flatMap(({ lines }) => {
    const telling = lines.map(({ text }) => text).filter(isTelling);
    return telling.slice(-TAIL_LINES);
  });
}

const row = [...ROWS, ...LONG_ROWS].find(({ id }) => id === process.argv[2]);
if (!row) throw new Error(`There is no row ${process.argv[2]}`);
const result = await play(process.argv.includes('--full') ? atFullSize(row) : row);
process.removeAllListeners('disconnect');
process.send?.(result, undefined, undefined, () => process.exit(0));
