/** Row 45: all deliveries are paused at any moment, while hosts, workers and Redis come and go. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PauseAnswer } from '../../../../supervisor/admin/shapes/deeds.js';
import type { Fleet } from '../../../support/program/fleet.js';
import { waitFor } from '../../../support/wait-for.js';
import { command, postsWithin } from '../../support/pausing.js';
import type { Findings, Row } from '../../support/row.js';
import { pidsOf, sendSignal, type Stage } from '../../support/stage.js';
import { PAUSE_CLOCK_ROW } from './pause-clocks.js';

const SUPERVISORS = 3;
const WORKERS = 2;
const CONCURRENCY = 4;
/** Of each of the two rows. */
const TRIES = 15;
const ALL_TRIES = 100;
/** What cannot be confirmed in time is answered with exit code 1, which promises nothing; but most must be. */
const MOST_UNCONFIRMED = 0.2;
/** Under the first the workers are busy; under the second they wait in blocking pops, which begin before the pause and end after it. */
const LOADS = [60, 60, 6, 6];

/** What happens during a pause. */
type Event = 'nothing' | 'kill a worker' | 'let it run out' | 'start a supervisor again' | 'restart Redis';

export const PAUSE_ROWS: readonly Row[] = [
  row('45a', 'nothing else, a worker killed, --for over', ['nothing', 'kill a worker', 'let it run out']),
  row('45b', 'a supervisor or Redis started again', ['start a supervisor again', 'restart Redis']),
  PAUSE_CLOCK_ROW,
];

function row(id: string, what: string, events: readonly Event[]): Row {
  const fault = (tries: number): string => `${tries} pauses of 3 supervisors under load, at any moment: ${what}`;
  return {
    id,
    fault: fault(TRIES),
    bound: 'no POST begins after exit code 0; flows again; ≤ kills × C dup',
    // each write is kept before it is answered: so a Redis that is killed makes nobody deliver anything twice
    redis: { appendonly: true, args: ['--appendfsync', 'always'] },
    run: (stage) => pauses(stage, events, TRIES),
    full: { fault: fault(ALL_TRIES), limitMs: 1_800_000, run: (stage) => pauses(stage, events, ALL_TRIES) },
  };
}

async function pauses(stage: Stage, events: readonly Event[], tries: number): Promise<Findings> {
  stage.server.faults.post.delayMs = 10;
  const fleets = await Promise.all(
    Array.from({ length: SUPERVISORS }, () => stage.start({ WORKER_COUNT: WORKERS, WORKER_CONCURRENCY: CONCURRENCY })),
  );
  for (const fleet of fleets) await fleet.ready(WORKERS);
  const late: string[] = [];
  let confirmed = 0;
  let kills = 0;
  for (let at = 0; at < tries; at += 1) {
    const load = stage.load(LOADS[at % LOADS.length] ?? 0);
    // at any moment: between two looks, within a blocking pop, in the middle of a start
    await sleep(Math.random() * 700);
    const event = events[at % events.length] ?? 'nothing';
    if (event === 'kill a worker') kills += 1;
    if (await pauseOnce(stage, fleets, event, late)) confirmed += 1;
    await load.stop();
  }
  stage.expect(late.length === 0, `POSTs after exit code 0: ${late.slice(0, 5).join('; ')}`);
  stage.expect(confirmed >= tries * (1 - MOST_UNCONFIRMED), `only ${confirmed} of ${tries} pauses were confirmed`);
  const duplicatesAllowed = kills * CONCURRENCY;
  return { duplicatesAllowed, note: `${confirmed} of ${tries} confirmed, ${late.length} POSTs after that` };
}

/** Whether it was confirmed. */
async function pauseOnce(stage: Stage, fleets: readonly Fleet[], event: Event, late: string[]): Promise<boolean> {
  const fleet = fleets[Math.floor(Math.random() * fleets.length)];
  if (!fleet) throw new Error('no fleet');
  const { code, out } = await command(fleet, 'pause', '--json', ...(event === 'let it run out' ? ['--for', '3s'] : []));
  const since = performance.now();
  if (event === 'let it run out') {
    const isOver = async (): Promise<boolean> => (await stage.client.exists(stage.keys.paused)) === 0;
    const left = await stage.client.pttl(stage.keys.paused);
    // what begins in the moment in which it ends has begun after its end
    await sleep(Math.max(0, left - 100));
    if (code === 0 && left > 100) late.push(...postsWithin(stage, { since, until: performance.now() - 50 }, event));
    await waitFor(isOver, { what: 'it to run out' });
  } else {
    await happens(stage, fleet, event);
    await sleep(800);
    if (code === 0) late.push(...postsWithin(stage, { since, until: performance.now() }, event));
    const resumed = await command(fleet, 'resume');
    stage.expect(resumed.code === 0, `resume ended with ${resumed.code}: ${resumed.out}`);
  }
  if (code !== 0) stage.expect(isHonest(out), `exit code ${code} without saying why: ${out.slice(0, 200)}`);
  await stage.firstPostAfter(performance.now(), 15_000);
  return code === 0;
}

function isHonest(out: string): boolean {
  const { complete, error, missing } = JSON.parse(out) as PauseAnswer;
  return !complete && error !== undefined && missing.length > 0;
}

async function happens(stage: Stage, fleet: Fleet, event: Event): Promise<void> {
  if (event === 'kill a worker') {
    const [pid] = await pidsOf(fleet);
    sendSignal(pid, 'SIGKILL');
  } else if (event === 'start a supervisor again') {
    fleet.program.signal('SIGTERM');
    await fleet.program.waitForExit();
    fleet.startAgain();
    await fleet.ready(WORKERS);
  } else if (event === 'restart Redis') {
    await stage.redis.kill();
    await stage.redis.restart();
  }
}
