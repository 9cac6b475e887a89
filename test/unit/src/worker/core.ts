import type { CircuitBreaker } from '../../../../src/domain/flow/circuit-breaker.js';
import type { CountedFailure } from '../../../../src/domain/failures/failure-tally.js';
import { FlowControl } from '../../../../src/domain/flow/flow-control.js';
import { FleetSeat } from '../../../../src/domain/flow/fleet-share.js';
import { RegistrationLag } from '../../../../src/domain/registration/registration-lag.js';
import { Pace } from '../../../../src/domain/flow/pace.js';
import { RouteRecord } from '../../../../src/domain/route-record.js';
import { COUNTED, type Counts } from '../../../../src/shared/metrics/counts.js';
import { createWorkerMetrics, type WorkerMetrics } from '../../../../src/shared/metrics/worker-metrics.js';
import { Attempts } from '../../../../src/worker/attempt/attempt.js';
import { Copies } from '../../../../src/worker/attempt/copies.js';
import { Burial } from '../../../../src/worker/attempt/burial.js';
import { GivingUp } from '../../../../src/worker/attempt/giving-up.js';
import { Held } from '../../../../src/worker/attempt/held.js';
import { NotBegun } from '../../../../src/worker/attempt/not-begun.js';
import { ObservedServer } from '../../../../src/worker/attempt/observed-server.js';
import { StatusUpdates } from '../../../../src/worker/attempt/status-updates.js';
import { GatedAttempts } from '../../../../src/worker/attempt/gated-attempts.js';
import { PauseWatch } from '../../../../src/worker/loop/pause-watch.js';
import { StatusPlaces } from '../../../../src/worker/loop/status-places.js';
import { WorkLoop } from '../../../../src/worker/loop/work-loop.js';
import type { Random } from '../../../../src/shared/time/random.js';
import { CountSet } from '../../../../supervisor/workers/count-set.js';
import { testConfig, type ConfigOverrides } from '../../../support/program/config.js';
import { recordedLog, type RecordedLog } from '../../../support/recorded-log.js';
import { ScriptedMainServer } from '../../../support/main-server/scripted-main-server.js';
import { ScriptedPause } from '../../../support/redis/scripted-pause.js';
import { ScriptedQueue } from '../../../support/redis/scripted-queue.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

export const RETRY_MS = 30_000;

/** A whole worker between a queue and a main server that do what the test says, in time that the test owns. */
export interface Core {
  readonly clock: VirtualClock;
  readonly queue: ScriptedQueue;
  readonly server: ScriptedMainServer;
  readonly flow: FlowControl;
  readonly breaker: CircuitBreaker;
  readonly fleet: FleetSeat;
  readonly attempts: Pick<Attempts, 'run'>;
  /** Not started. */
  readonly pause: PauseWatch;
  readonly pauseInRedis: ScriptedPause;
  /** Failed attempts, as they are counted by the hour. */
  readonly counted: readonly CountedFailure[];
  readonly statusUpdates: StatusUpdates;
  readonly copies: Copies;
  readonly lag: RegistrationLag;
  readonly held: Held;
  readonly workLoop: WorkLoop;
  readonly metrics: WorkerMetrics;
  readonly log: RecordedLog;
  /** Turns of the loop so far. */
  turns(): number;
  /** Of a series without labels but the worker's, as a scrape shows it. */
  metric(series: string): Promise<number>;
  /** Lets all that is ready happen, however many turns of the loop that takes; no time passes. */
  settle(): Promise<void>;
}

const open: Core[] = [];

export function createCore(
  worker: ConfigOverrides['worker'] = {},
  {
    logging = {},
    queue: ofQueue = {},
    mainServer = {},
  }: Pick<ConfigOverrides, 'logging' | 'queue' | 'mainServer'> = {},
  random: Random = () => 0.5,
): Core {
  const config = testConfig({ worker: { retryIntervalMs: RETRY_MS, ...worker }, logging, queue: ofQueue, mainServer });
  const clock = new VirtualClock();
  const log = recordedLog();
  const queue = new ScriptedQueue(clock);
  const server = new ScriptedMainServer();
  const held = new Held(clock);
  const lag = new RegistrationLag({ graceMs: config.mainServer.notFoundGraceMs, random });
  const metrics = createWorkerMetrics('worker-1', {
    heldMessages: () => held.idle,
    registrationLagMs: () => lag.lagMs,
  });
  const limits = config.worker;
  const fleet = new FleetSeat(config.mainServer.maxInFlight);
  const pace = new Pace(config.mainServer.maxRate, fleet);
  const flow = new FlowControl({ ...limits, share: fleet, pace, random: () => 0.999_999, loopBusyMs: () => 0 });
  const { breaker } = flow;
  const route = new RouteRecord();
  const observed = new ObservedServer({ server, flow, route, clock });
  const burial = new Burial({ workerId: 'worker-1', metrics, clock });
  const givingUp = new GivingUp({ config, server: observed, burial, clock, log });
  const copies = new Copies();
  const pauseInRedis = new ScriptedPause();
  const pause = new PauseWatch({ queue: pauseInRedis, isAlone: true, clock, log });
  pause.onChange(() => void (pause.isPaused && (copies.giveUp(), held.handBack())));
  const counted: CountedFailure[] = [];
  const failureCounts = { note: (failure: CountedFailure) => void counted.push(failure), delivered: () => undefined };
  const notBegun = new NotBegun();
  const asking = { server: observed, burial, givingUp, copies, lag, held, notBegun, pause };
  const attempts = new GatedAttempts(
    new Attempts({ ...asking, config, workerId: 'worker-1', failureCounts, metrics, clock, log }),
    pause,
    notBegun,
  );
  const statusPlaces = new StatusPlaces();
  const places = { places: statusPlaces, retryIntervalMs: RETRY_MS };
  const statusUpdates = new StatusUpdates({ server, copies, ...places, clock, log });
  let turns = 0;
  const onTurn = () => void (turns += 1);
  const flows = { flow, breaker, fleet, pace, pause, limits };
  const delivering = { queue, server, attempts, statusUpdates, statusPlaces, copies, lag, held };
  const parts = { ...flows, ...delivering, metrics, clock, log, onTurn };
  const core: Core = {
    ...parts,
    pauseInRedis,
    counted,
    workLoop: new WorkLoop(parts),
    turns: () => turns,
    async metric(series) {
      const line = new RegExp(`^${series}\\{worker_id="worker-1"\\} (\\S+)$`, 'm').exec(
        await metrics.registry.metrics(),
      );
      return Number(line?.[1]);
    },
    async settle() {
      for (let round = 0; round < 10; round += 1) await clock.settle();
    },
  };
  open.push(core);
  return core;
}

/** What it has counted so far; of the failed ones all reasons, burials among them. */
export async function totals(metrics: WorkerMetrics) {
  return totalsIn(await metrics.counts());
}

export function totalsIn(told: Counts) {
  const counts = new CountSet('worker-1');
  counts.note(told, 0);
  const { processed, delivered, failed, retried } = COUNTED;
  return {
    processed: counts.total(processed),
    delivered: counts.total(delivered),
    failed: counts.total(failed),
    retried: counts.total(retried),
  };
}

/** For afterEach. */
export async function closeCores(): Promise<void> {
  for (const { clock, workLoop, pause, metrics } of open.splice(0)) {
    const stopped = Promise.all([workLoop.stop(), pause.stop()]);
    await clock.advance(5_000);
    await stopped;
    metrics.registry.clear();
  }
}

export function message(id: string, fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ message_id: id, attempt_count: 0, ...fields });
}
