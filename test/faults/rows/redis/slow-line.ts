/** Row 38: what takes minutes on its way to Redis and back is slower, and never stuck. */
import { startSlowLink } from '../../../support/slow-link.js';
import { startProgram } from '../../../support/program/program.js';
import type { Fleet } from '../../../support/program/fleet.js';
import { waitFor } from '../../../support/wait-for.js';
import { pidsOf, sendSignal, timed, type Stage } from '../../support/stage.js';
import type { Findings, Row } from '../../support/row.js';

interface Line {
  readonly bytesPerSecond: number;
  /** Of each message. */
  readonly bytes: number;
}

const WHOLE: Line = { bytesPerSecond: 100_000, bytes: 50_000_000 };
const SETTINGS = { WORKER_COUNT: 1, WORKER_CONCURRENCY: 4, WORKER_RETRY_INTERVAL: 1 };
/** Beside the bytes themselves: a kill, a boot, a retry, a lease that is watched. */
const SPARE_MS = 30_000;
const MINUTE_MS = 60_000;
const LATE: Line = { bytesPerSecond: 100_000, bytes: 1_500_000 };
const PUT_BACK: Line = { bytesPerSecond: 100_000, bytes: 700_000 };
const SETTLED: Line = { bytesPerSecond: 200_000, bytes: 3_000_000 };

export const SLOW_LINE_ROWS: readonly Row[] = [
  {
    id: '38b',
    fault: `${inWords(SETTLED)} that fails once: each settlement takes longer than a lease lasts`,
    bound: '0 lost, 0 dup, the lease stays, bytes move in every 30 s, delivered within 2 min',
    limits: { recoveryMs: 120_000 },
    run: (stage) => settled(stage, SETTLED),
    full: {
      fault: `${inWords(WHOLE)} that fails once`,
      bound: '0 lost, 0 dup, the lease stays, bytes move in every 30 s, delivered in the time of its bytes',
      limits: { recoveryMs: 5 * msOf(WHOLE) + SPARE_MS },
      limitMs: 55 * MINUTE_MS,
      run: (stage) => settled(stage, WHOLE),
    },
  },
  {
    id: '38c',
    fault: `${inWords(LATE)} whose acknowledgement is half sent as its worker is killed with -9`,
    bound: '0 lost, ≤ 1 dup, no lease is lost, posted again in the time of its bytes and 5 s',
    limits: { duplicates: 1, recoveryMs: msOf(LATE) + 5_000 },
    run: (stage) => recovered(stage, LATE),
    full: {
      fault: `${inWords(WHOLE)} whose acknowledgement is half sent as its worker is killed with -9`,
      limits: { duplicates: 1, recoveryMs: msOf(WHOLE) + SPARE_MS },
      limitMs: 40 * MINUTE_MS,
      run: (stage) => recovered(stage, WHOLE),
    },
  },
  {
    id: '38d',
    fault: `${inWords(PUT_BACK)}, one waiting for its retry and one in flight; all killed with -9, then \`rollback\` over the line`,
    bound: '0 lost, 0 dup, both are back within 30 s',
    limits: { recoveryMs: 30_000 },
    run: (stage) => putBack(stage, PUT_BACK),
    full: {
      fault: `${inWords(WHOLE)}, one waiting for its retry and one in flight; all killed with -9, then \`rollback\` over the line`,
      limitMs: 50 * MINUTE_MS,
      run: (stage) => putBack(stage, WHOLE),
    },
  },
];

function inWords({ bytesPerSecond, bytes }: Line): string {
  return `a line of ${bytesPerSecond / 1_000} KB/s to Redis, a message of ${bytes / 1_000_000} MB`;
}

/** What one message takes in one direction. */
function msOf({ bytesPerSecond, bytes }: Line): number {
  return (bytes / bytesPerSecond) * 1_000;
}

async function startOver(stage: Stage, line: Line, settings: Readonly<Record<string, number>> = {}) {
  const link = await startSlowLink(stage.redis.port, line.bytesPerSecond);
  stage.onClose(async () => link.close());
  const fleet = await stage.start({ ...SETTINGS, ...settings, REDIS_PORT: link.port });
  await fleet.ready(1);
  return { fleet, link };
}

function produce(stage: Stage, id: string, { bytes }: Line): Promise<void> {
  return stage.ledger.produceRaw(id, JSON.stringify({ message_id: id, text: 'x'.repeat(bytes) }));
}

/** Nothing waits, nothing is claimed: asked so that no message is read. */
async function isEmpty({ client, keys }: Stage): Promise<boolean> {
  const left = await client.exists(keys.queue, keys.retry);
  return left === 0 && (await client.keys(keys.processing('*'))).length === 0;
}

function expectLeases(stage: Stage, fleet: Fleet): void {
  stage.expect(!/lost its lease|lease ran out|not ours any more/.test(fleet.logged()), 'the lease was lost');
}

/** Claimed, sent twice by its retry, claimed again and sent by its acknowledgement: five times its bytes. */
async function settled(stage: Stage, line: Line): Promise<Findings> {
  const { fleet, link } = await startOver(stage, line);
  stage.server.faults.post.failFirst = 1;
  const producedAt = performance.now();
  await produce(stage, 'large', line);
  let longestMs = 0;
  const isOver = async () => {
    longestMs = Math.max(longestMs, performance.now() - link.movedAt);
    return stage.server.ledger.delivered.size === 1 && (await isEmpty(stage));
  };
  const deadlineMs = 6 * msOf(line) + 2 * SPARE_MS;
  await waitFor(isOver, { what: 'the large message to be acknowledged', deadlineMs, everyMs: 250 });
  stage.expect(longestMs < 30_000, `no byte moved for ${longestMs.toFixed(0)} ms`);
  stage.expect(!/Recovered/.test(fleet.logged()), 'something was recovered from the living');
  expectLeases(stage, fleet);
  return { recoveryMs: performance.now() - producedAt };
}

async function recovered(stage: Stage, line: Line): Promise<Findings> {
  const { server } = stage;
  const { fleet, link } = await startOver(stage, line);
  await produce(stage, 'large', line);
  const deadlineMs = 2 * msOf(line) + SPARE_MS;
  await waitFor(() => server.ledger.delivered.size === 1, { what: 'the first POST', deadlineMs });
  const moved = link.movedBytes;
  const isHalfSent = () => link.movedBytes - moved > line.bytes / 2;
  await waitFor(isHalfSent, { what: 'half of the acknowledgement', deadlineMs });
  const [victim] = await pidsOf(fleet);
  const killedAt = performance.now();
  sendSignal(victim, 'SIGKILL');
  const again = await stage.postedAgain(['large'], killedAt, deadlineMs);
  await waitFor(() => isEmpty(stage), { what: 'its acknowledgement', deadlineMs, everyMs: 250 });
  expectLeases(stage, fleet);
  return { recoveryMs: again - killedAt };
}

async function putBack(stage: Stage, line: Line): Promise<Findings> {
  const { client, keys, server } = stage;
  const { fleet } = await startOver(stage, line, { WORKER_RETRY_INTERVAL: 3_600 });
  Object.assign(server.faults.post, { failStatus: 500, failFirst: 1 });
  server.onPost = (id) => (server.faults.post.hang = id === 'in-flight');
  await produce(stage, 'retried', line);
  await produce(stage, 'in-flight', line);
  const isInBoth = async () => (await client.zcard(keys.retry)) === 1 && stage.openPosts().length === 1;
  const deadlineMs = 5 * msOf(line) + SPARE_MS;
  await waitFor(isInBoth, { what: 'a retry and a POST in flight', deadlineMs, everyMs: 100 });
  await fleet.program.destroy();
  const recoveryMs = await timed(async () => {
    const program = startProgram({ cwd: fleet.cwd, args: ['rollback'] });
    const { code } = await program.waitForExit();
    stage.expect(code === 0, `rollback ended with ${code}: ${program.lines.at(-1)?.text}`);
  });
  stage.expect((await client.llen(keys.queue)) === 2, 'not both are back on the queue');
  server.onPost = undefined;
  Object.assign(server.faults.post, { hang: false, failFirst: 0 });
  const direct = await stage.start(SETTINGS);
  await direct.ready(1);
  await waitFor(() => isEmpty(stage), { what: 'both to be delivered', deadlineMs: SPARE_MS, everyMs: 250 });
  return { recoveryMs };
}
