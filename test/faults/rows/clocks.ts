/** Row 35: the clocks of Redis and of the hosts step, under load. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../../../scripts/local/redis-process.js';
import type { Fleet } from '../../support/program/fleet.js';
import { plainClient } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { COMPILER } from '../support/programs.js';
import type { Findings, Row } from '../support/row.js';
import { SteppedClock } from '../support/redis/stepped-clock.js';
import type { Stage } from '../support/stage.js';

const HOSTS = 3;
/** Less than the smallest step. */
const RETRY_INTERVAL_MS = 1_500;
/** Retries are timed to their POST: no limit that is still being found out may let them wait in the queue. */
const SETTINGS = {
  WORKER_COUNT: 2,
  WORKER_CONCURRENCY: 4,
  WORKER_CONCURRENCY_CONTROL: 'fixed',
  WORKER_RETRY_INTERVAL: RETRY_INTERVAL_MS / 1_000,
};
const MOST_LATE_MS = 1_000;
/** A step of half a second is none to a promoter, and its looks take time. */
const MOST_EARLY_MS = 600;
const HOUR_S = 3_600;
const YEAR_S = 365 * 86_400;
/** Longer than a round of looks and renewals. */
const REST_MS = 5_000;
const SMALL_STEPS = 10;
/** Longer than from one look of a promoter to the next: each step is seen by itself. */
const SMALL_STEP_MS = 700;

type Which = 'redis' | 'hosts' | 'both';

const BOUND =
  'nothing recovered from the living, 0 dup, retries ≤ 1 s late and ≤ 0.6 s early; a host that then dies: its messages tried again ≤ 15 s';

export const CLOCK_ROWS: readonly Row[] = [
  row('35a', "Redis's clock", 'redis'),
  row('35b', "the hosts' wall clock", 'hosts'),
  row('35c', "Redis's and the hosts' clocks", 'both'),
];

function row(id: string, clocks: string, which: Which): Row {
  const years = which === 'redis' ? ', ± 10 years' : '';
  return {
    id,
    fault: `${clocks} ± 20 s, ± 1 h${years}, in one step and in ten, with 3 supervisors under load; then one host dies`,
    bound: BOUND,
    alone: true,
    // what the dead host held, answered after its death
    limits: { recoveryMs: 15_000, duplicates: SETTINGS.WORKER_COUNT * SETTINGS.WORKER_CONCURRENCY },
    needs: [COMPILER],
    run: (stage) => stepClocks(stage, which),
  };
}

async function stepClocks(stage: Stage, which: Which): Promise<Findings> {
  const clock = await SteppedClock.make(stage);
  const redis = await startRedis(which === 'hosts' ? {} : { binary: await clock.redisBinary() });
  stage.onClose(() => redis.stop());
  stage.lookAt(plainClient(redis.port));
  const fleets = await hosts(stage, redis.port, which === 'redis' ? {} : clock.env);
  Object.assign(stage.server.faults.post, { delayMs: 300, failFirst: 1, failStatus: 500 });
  const load = stage.load(20);
  // certificates are good for a year or two: with its own clock ten years off a host may deliver nothing
  const largest = which === 'redis' ? 10 * YEAR_S : HOUR_S;
  for (const seconds of [20, HOUR_S, 10 * YEAR_S].filter((each) => each <= largest)) {
    for (const to of [seconds, -seconds]) await thereAndBack(clock, to);
  }
  const { ledger } = stage.server;
  stage.expect(ledger.duplicates === 0, `${ledger.duplicates} delivered twice while the clocks stepped`);
  for (const fleet of fleets) expectNoRecovery(stage, fleet);
  const note = expectRetriesOnTime(stage);
  const recoveryMs = await loseHost(stage, fleets, clock);
  await load.stop();
  return { recoveryMs, note };
}

/** Settled: none of them looks any more for what an earlier supervisor of this machine left. */
async function hosts(stage: Stage, redisPort: number, env: Readonly<Record<string, string>>): Promise<Fleet[]> {
  const settings = { ...SETTINGS, REDIS_PORT: redisPort };
  const fleets: Fleet[] = [];
  for (let host = 0; host < HOSTS; host += 1) {
    fleets.push(await stage.start({ ...settings, WORKER_ID: `host-${host}` }, { env }));
  }
  for (const fleet of fleets) {
    await fleet.until('21 s to pass', ({ supervisor }) => supervisor.uptime_seconds > 21, 60_000);
    await fleet.ready(SETTINGS.WORKER_COUNT);
  }
  return fleets;
}

async function thereAndBack(clock: SteppedClock, seconds: number): Promise<void> {
  clock.stepTo(seconds);
  await sleep(REST_MS);
  for (let step = 1; step <= SMALL_STEPS; step += 1) {
    clock.stepTo(Math.round((seconds * (SMALL_STEPS - step)) / SMALL_STEPS));
    await sleep(SMALL_STEP_MS);
  }
  await sleep(REST_MS);
}

function expectNoRecovery(stage: Stage, fleet: Fleet): void {
  const told = /.*(?:Recovered \d|lost its lease|whose lease ran out).*/.exec(fleet.logged())?.[0];
  stage.expect(told === undefined, `something was recovered from the living: ${told}`);
}

/** From the answer of each POST that failed to the next one of the same message. */
function expectRetriesOnTime(stage: Stage): string {
  const now = performance.now();
  const late: number[] = [];
  for (const id of stage.server.ledger.exchanges.keys()) {
    const [failed, next] = stage.server.ledger.of(id, 'POST');
    if (failed?.endMs === undefined) continue;
    const lateMs = (next?.startMs ?? now) - failed.endMs - RETRY_INTERVAL_MS;
    if (next || lateMs > 0) late.push(lateMs);
  }
  const [earliest, latest] = [Math.min(...late), Math.max(...late)].map((ms) => Math.round(ms));
  const found = `${late.length} retries, ${earliest} to ${latest} ms after they were due`;
  const areOnTime = late.every((ms) => ms >= -MOST_EARLY_MS && ms <= MOST_LATE_MS);
  stage.expect(late.length > 500 && areOnTime, `retries are not on time: ${found}`);
  return found;
}

/** Killed as a whole, with messages in its hands, between two more steps. */
async function loseHost(stage: Stage, [dying]: readonly Fleet[], clock: SteppedClock): Promise<number> {
  const ofDying = () => stage.openPosts().filter(({ worker }) => worker.startsWith('host-0'));
  stage.server.faults.post.delayMs = 1_000;
  await waitFor(() => ofDying().length >= SETTINGS.WORKER_CONCURRENCY, { what: 'POSTs of the host that dies' });
  clock.stepTo(20);
  const held = ofDying().map(({ id }) => id);
  const diedAt = performance.now();
  await dying?.program.destroy();
  stage.server.faults.post.delayMs = 20;
  clock.stepTo(-HOUR_S);
  return (await stage.postedAgain(held, diedAt, 30_000)) - diedAt;
}
