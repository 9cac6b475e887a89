/** Row 45c: the clocks of Redis and of the hosts step while all deliveries are paused. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../../../../scripts/local/redis-process.js';
import type { Fleet } from '../../../support/program/fleet.js';
import type { StatusDocument } from '../../../../supervisor/status/status-document.js';
import { plainClient } from '../../../support/redis/redis.js';
import { waitFor } from '../../../support/wait-for.js';
import { command, postsWithin } from '../../support/pausing.js';
import { COMPILER } from '../../support/programs.js';
import { SteppedClock } from '../../support/redis/stepped-clock.js';
import type { Findings, Row } from '../../support/row.js';
import type { Stage } from '../../support/stage.js';

const HOSTS = 2;
const WORKERS = 2;
const HOUR_S = 3_600;
const YEAR_S = 365 * 86_400;
/** In which each worker looks at the pause once. */
const LOOK_MS = 1_200;
/** Longer than a busy machine takes to confirm it. */
const SHORT_S = 10;
/** Workers look once a second; a busy machine takes its time. */
const FLOWS_MS = 30_000;

export const PAUSE_CLOCK_ROW: Row = {
  id: '45c',
  fault: "Redis's clock ± 20 s, ± 1 h, ± 10 years and the hosts' ± 1 h during pauses of 2 supervisors under load",
  bound: 'no POST begins before resume or, with --for, before its end by the clock of Redis; flows again',
  needs: [COMPILER],
  run: pauseUnderSteps,
};

interface Scene {
  readonly stage: Stage;
  readonly fleet: Fleet;
  readonly ofRedis: SteppedClock;
  readonly ofHosts: SteppedClock;
}

async function pauseUnderSteps(stage: Stage): Promise<Findings> {
  const ofRedis = await SteppedClock.make(stage, 'clock-of-redis');
  const ofHosts = await SteppedClock.make(stage, 'clock-of-hosts');
  const redis = await startRedis({ binary: await ofRedis.redisBinary() });
  stage.onClose(() => redis.stop());
  stage.lookAt(plainClient(redis.port));
  const fleets: Fleet[] = [];
  for (let host = 0; host < HOSTS; host += 1) {
    const settings = { REDIS_PORT: redis.port, WORKER_COUNT: WORKERS, WORKER_ID: `host-${host}` };
    fleets.push(await stage.start(settings, { env: ofHosts.env }));
  }
  for (const fleet of fleets) await fleet.ready(WORKERS);
  const [fleet] = fleets;
  if (!fleet) throw new Error('no fleet');
  const load = stage.load(20);
  const scene = { stage, fleet, ofRedis, ofHosts };
  await untilResumed(scene);
  await notByClocksOfHosts(scene);
  await earlyByClockOfRedis(scene);
  await lateByClockOfRedis(scene);
  await load.stop();
  return {};
}

/** One that nobody has limited outlives whatever clocks do. */
async function untilResumed(scene: Scene): Promise<void> {
  const { ofRedis, ofHosts } = scene;
  const since = await pause(scene);
  const steps = (clock: SteppedClock, seconds: readonly number[]) => seconds.map((each) => ({ clock, each }));
  const ofAll = [
    ...steps(ofRedis, [20, -20, HOUR_S, -HOUR_S, 10 * YEAR_S, -10 * YEAR_S, 0]),
    ...steps(ofHosts, [HOUR_S, -HOUR_S, 0]),
  ];
  for (const { clock, each } of ofAll) {
    clock.stepTo(each);
    await sleep(LOOK_MS);
  }
  expectNoPost(scene, since, 'clocks step, without --for');
  await resume(scene);
}

/** It lasts as long as the clock of Redis says, and no worker begins before. */
async function notByClocksOfHosts(scene: Scene): Promise<void> {
  const { stage, ofHosts } = scene;
  const since = await pause(scene, '--for', `${SHORT_S}s`);
  ofHosts.stepTo(HOUR_S);
  await sleep(LOOK_MS);
  ofHosts.stepTo(-HOUR_S);
  const endedAt = await whenOver(scene);
  expectNoPost(scene, since, 'clocks of hosts step', endedAt);
  await stage.firstPostAfter(endedAt, FLOWS_MS);
  ofHosts.stepTo(0);
}

/** All begin again at once. */
async function earlyByClockOfRedis(scene: Scene): Promise<void> {
  const { stage, ofRedis } = scene;
  const since = await pause(scene, '--for', '10m');
  await sleep(LOOK_MS);
  const steppedAt = performance.now();
  expectNoPost(scene, since, 'before the clock of Redis steps', steppedAt);
  ofRedis.stepTo(HOUR_S);
  await stage.everyWorkerPosts(steppedAt, HOSTS * WORKERS, FLOWS_MS);
}

/** Its clock is an hour ahead. Set right, it is an hour more until the pause is over, and the status says so. */
async function lateByClockOfRedis(scene: Scene): Promise<void> {
  const { stage, fleet, ofRedis } = scene;
  const since = await pause(scene, '--for', '1m');
  ofRedis.stepTo(0);
  const endsInAnHour = ({ queue }: StatusDocument): boolean =>
    Math.abs(Date.parse(queue.paused?.until ?? '') - Date.now() - HOUR_S * 1_000) < 120_000;
  await fleet.until('the status to say that the pause ends in an hour', endsInAnHour);
  await sleep(LOOK_MS);
  const steppedAt = performance.now();
  expectNoPost(scene, since, 'the clock of Redis was set back', steppedAt);
  ofRedis.stepTo(HOUR_S + 120);
  await stage.firstPostAfter(steppedAt, FLOWS_MS);
}

/** Resolves to when it was confirmed. */
async function pause({ stage, fleet }: Scene, ...args: string[]): Promise<number> {
  const { code, out } = await command(fleet, 'pause', ...args);
  stage.expect(code === 0, `pause ended with ${code}: ${out.slice(0, 300)}`);
  return performance.now();
}

async function resume({ stage, fleet }: Scene): Promise<void> {
  const { code, out } = await command(fleet, 'resume');
  stage.expect(code === 0, `resume ended with ${code}: ${out}`);
  await stage.firstPostAfter(performance.now(), FLOWS_MS);
}

/** Resolves to a moment in which it was not over, just before it is. */
async function whenOver({ stage }: Scene): Promise<number> {
  let stoodAt = performance.now();
  const isOver = async (): Promise<boolean> => {
    const askedAt = performance.now();
    if ((await stage.client.exists(stage.keys.paused)) === 0) return true;
    stoodAt = askedAt;
    return false;
  };
  await waitFor(isOver, { what: 'the pause to end' });
  return stoodAt;
}

function expectNoPost({ stage }: Scene, since: number, when: string, until = performance.now()): void {
  const late = postsWithin(stage, { since, until }, when);
  stage.expect(late.length === 0, `POSTs after exit code 0: ${late.slice(0, 5).join('; ')}`);
}
