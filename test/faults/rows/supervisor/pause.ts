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
const SIZE = { tries: 15, mostMs: 110_000 };
const FULL_SIZE = { tries: 100, mostMs: 1_500_000 };
/** What cannot be confirmed in time is answered with exit code 1, which promises nothing; but most must be. */
const MOST_UNCONFIRMED = 0.2;
/** Under the first the workers are busy; under the second they wait in blocking pops, which begin before the pause and end after it. */
const LOADS = [60, 60, 6, 6];
/** From the start of a supervisor until its workers deliver, as a rule. */
const LONGEST_START_MS = 1_500;

/** What happens during a pause, or while it begins. */
type Event =
  | 'nothing'
  | 'kill a worker'
  | 'let it run out'
  | 'start a supervisor again'
  | 'begin while a supervisor starts'
  | 'restart Redis';

interface Size {
  readonly tries: number;
  /** After this no other pause is begun: a machine with a load of 40 takes 12 s for each, which on its own takes 3. */
  readonly mostMs: number;
}

export const PAUSE_ROWS: readonly Row[] = [
  row('45a', 'nothing else, a worker killed, --for over', ['nothing', 'kill a worker', 'let it run out']),
  row('45b', 'a supervisor or Redis started again', [
    'start a supervisor again',
    'restart Redis',
    'begin while a supervisor starts',
  ]),
  PAUSE_CLOCK_ROW,
];

function row(id: string, what: string, events: readonly Event[]): Row {
  const fault = ({ tries }: Size): string => `${tries} pauses of 3 supervisors under load, at any moment: ${what}`;
  return {
    id,
    fault: fault(SIZE),
    bound: 'no POST begins after exit code 0; flows again; ≤ kills × C dup',
    // each write is kept before it is answered: so a Redis that is killed makes nobody deliver anything twice
    redis: { appendonly: true, args: ['--appendfsync', 'always'] },
    run: (stage) => pauses(stage, events, SIZE),
    full: { fault: fault(FULL_SIZE), limitMs: 1_800_000, run: (stage) => pauses(stage, events, FULL_SIZE) },
  };
}

async function pauses(stage: Stage, events: readonly Event[], { tries, mostMs }: Size): Promise<Findings> {
  stage.server.faults.post.delayMs = 10;
  const fleets = await Promise.all(
    Array.from({ length: SUPERVISORS }, () => stage.start({ WORKER_COUNT: WORKERS, WORKER_CONCURRENCY: CONCURRENCY })),
  );
  for (const fleet of fleets) await fleet.ready(WORKERS);
  const late: string[] = [];
  let confirmed = 0;
  let kills = 0;
  let at = 0;
  const begunAt = performance.now();
  for (; at < tries && performance.now() - begunAt < mostMs; at += 1) {
    const load = stage.load(LOADS[at % LOADS.length] ?? 0);
    // at any moment: between two looks, within a blocking pop, in the middle of a start
    await sleep(Math.random() * 700);
    const event = events[at % events.length] ?? 'nothing';
    if (event === 'kill a worker') kills += 1;
    if (await pauseOnce(stage, fleets, event, late)) confirmed += 1;
    await load.stop();
  }
  stage.expect(late.length === 0, `POSTs after exit code 0: ${late.slice(0, 5).join('; ')}`);
  stage.expect(confirmed >= at * (1 - MOST_UNCONFIRMED), `only ${confirmed} of ${at} pauses were confirmed`);
  const duplicatesAllowed = kills * CONCURRENCY;
  return { duplicatesAllowed, note: `${confirmed} of ${at} confirmed, ${late.length} POSTs after that` };
}

/** Whether it was confirmed. */
async function pauseOnce(stage: Stage, fleets: readonly Fleet[], event: Event, late: string[]): Promise<boolean> {
  const fleet = fleets[Math.floor(Math.random() * fleets.length)];
  if (!fleet) throw new Error('no fleet');
  if (event === 'begin while a supervisor starts') {
    await startAgain(fleet);
    await sleep(Math.random() * LONGEST_START_MS);
  }
  const { code, out } = await command(fleet, 'pause', '--json', ...(event === 'let it run out' ? ['--for', '5s'] : []));
  const since = performance.now();
  if (event === 'let it run out') {
    const left = await stage.client.pttl(stage.keys.paused);
    const isOver = async (): Promise<boolean> => (await stage.client.exists(stage.keys.paused)) === 0;
    await waitFor(isOver, { what: 'it to run out' });
    // it was over later than that, since Redis was asked later
    if (code === 0) late.push(...postsWithin(stage, { since, until: since + left }, event));
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
  const { complete, error = '', missing } = JSON.parse(out) as PauseAnswer;
  return !complete && (missing.length > 0 || error.startsWith('The pause has ended already'));
}

async function startAgain(fleet: Fleet): Promise<void> {
  fleet.program.signal('SIGTERM');
  await fleet.program.waitForExit();
  fleet.startAgain();
}

async function happens(stage: Stage, fleet: Fleet, event: Event): Promise<void> {
  if (event === 'kill a worker') {
    const [pid] = await pidsOf(fleet);
    sendSignal(pid, 'SIGKILL');
  } else if (event === 'start a supervisor again') {
    await startAgain(fleet);
    await fleet.ready(WORKERS);
  } else if (event === 'begin while a supervisor starts') {
    await fleet.ready(WORKERS);
  } else if (event === 'restart Redis') {
    await stage.redis.kill();
    await stage.redis.restart();
  }
}
