/** Everything one worker consists of, built from its configuration. */
import { stampOfFiles } from '../delivery/certificate-files.js';
import { giveAddressesTime } from '../delivery/connect-options.js';
import { MainServerClient } from '../delivery/main-server-client.js';
import type { MainServer } from '../delivery/main-server.js';
import { credentialsFor } from '../delivery/tls-credentials.js';
import { FlowControl } from '../domain/flow/flow-control.js';
import { FleetSeat } from '../domain/flow/fleet-share.js';
import { Pace } from '../domain/flow/pace.js';
import { mostStatuses } from '../domain/flow/places.js';
import { POISON_CRASHES } from '../domain/dead-letters/dead-letter.js';
import { RegistrationLag } from '../domain/registration/registration-lag.js';
import { RouteRecord } from '../domain/route-record.js';
import { createBurialTeller } from '../duties/burial-teller.js';
import { createCertificateWatch } from '../duties/certificate-watch.js';
import type { Duty } from '../duties/duty-failures.js';
import { FailureCounts } from '../duties/failure-counts.js';
import { createFailureSweep } from '../duties/failure-sweep.js';
import { createFleetShareDuty } from '../duties/fleet/fleet-share.js';
import { createEvictionWatch } from '../duties/eviction-watch.js';
import { createFoundListsDuty } from '../duties/found-lists.js';
import { createHistoryWriting } from '../duties/history-writing.js';
import { createLeaseRenewal } from '../duties/lease-renewal.js';
import { createMetricsServer } from '../duties/metrics-server.js';
import { createRecoverer } from '../duties/recoverer.js';
import { createRetryScheduler } from '../duties/retry-scheduler.js';
import { RedisQueue } from '../queue/claims/claims-and-settlements.js';
import type { Config } from '../shared/config/config.js';
import type { Identity } from '../shared/ipc.js';
import type { Life } from '../shared/life.js';
import type { Logger } from '../shared/logger/logger.js';
import { createWorkerMetrics, type WorkerMetrics } from '../shared/metrics/worker-metrics.js';
import type { Clock } from '../shared/time/clock.js';
import type { Random } from '../shared/time/random.js';
import { Attempts } from './attempt/attempt.js';
import type { BeatSources } from './beat.js';
import { Burial } from './attempt/burial.js';
import { Copies } from './attempt/copies.js';
import { CertificatesInUse } from './certificates-in-use.js';
import { burialTelling } from './attempt/burial-telling.js';
import { GatedAttempts } from './attempt/gated-attempts.js';
import { GivingUp } from './attempt/giving-up.js';
import { Held } from './attempt/held.js';
import { NotBegun } from './attempt/not-begun.js';
import { ObservedServer } from './attempt/observed-server.js';
import { RedisWatch } from './redis-watch.js';
import { StatusUpdates } from './attempt/status-updates.js';
import { loopBusyMs } from './loop/loop-load.js';
import { PauseWatch } from './loop/pause-watch.js';
import { StatusPlaces } from './loop/status-places.js';
import { WorkLoop } from './loop/work-loop.js';

export interface WorkerOptions {
  readonly config: Config;
  readonly identity: Identity;
  /** No supervisor observes the leases for it. */
  readonly isAlone: boolean;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Called at every turn of the work loop. */
  readonly onTurn: () => void;
  readonly onConsumer: (consumer: string) => void;
}

/**
 * Started from the first to the last and stopped from the last to the first, so that each part lives longer than those
 * who use it: connections close after all who speak over them, and the lease is renewed until the last claim is settled.
 */
export interface WorkerParts extends BeatSources {
  readonly queue: RedisQueue;
  readonly redisWatch: RedisWatch;
  readonly metrics: WorkerMetrics;
  readonly server: Pick<MainServer, 'hasRoute'>;
  readonly connections: readonly Life[];
  readonly metricsServer: Life & BeatSources['metricsServer'];
  /** The metrics server is the first of them. */
  readonly duties: readonly Life[];
  readonly workLoop: WorkLoop;
  readonly notBegun: NotBegun;
}

/** Throws CredentialsError when the certificates cannot be used. */
export function composeWorker(options: WorkerOptions): WorkerParts {
  const { config, identity, clock, log } = options;
  const flows = flowsOf(options);
  const metrics = metricsOf(options, flows);
  const main = mainServerOf(options, metrics);
  const access = redisOf(options, flows.fleet, metrics);
  const { queue, redisWatch, pause } = access;
  const { server, certificates } = main;
  const { host, enabled } = config.metrics;
  const { registry } = metrics;
  const { retryIntervalMs } = config.worker;
  const metricsServer = createMetricsServer({ host, port: identity.metricsPort, enabled, registry, clock, log });
  const failureCounts = new FailureCounts({ queue: queue.background, metrics, retryIntervalMs, clock, log });
  const delivering = { ...flows, metrics, server, queue, pause, failureCounts };
  pause.onChange(() => void (pause.isPaused && (flows.copies.giveUp(), flows.held.handBack())));
  const watchedDuties = watchedDutiesOf(options, { ...delivering, ...main, redisWatch });
  return {
    ...{ metrics, redisWatch, queue, pause, server, certificates, metricsServer, watchedDuties, failureCounts },
    ...{ flow: flows.flow, breaker: flows.flow.breaker, fleet: flows.fleet, pace: flows.pace, route: flows.route },
    notBegun: flows.notBegun,
    mainServer: config.mainServer,
    metricsPort: identity.metricsPort,
    // the main server's are made on demand
    connections: [{ start: giveAddressesTime, stop: () => server.stop() }, queue],
    duties: [metricsServer, pause, failureCounts, ...watchedDuties],
    workLoop: composeWorkLoop(options, delivering),
  };
}

/** What decides how many deliveries begin, and when; nothing of it speaks to anybody. */
type Flows = Pick<
  Delivering,
  'lag' | 'held' | 'notBegun' | 'fleet' | 'pace' | 'flow' | 'copies' | 'route' | 'statusPlaces'
>;

function flowsOf({ config, clock, random }: WorkerOptions): Flows {
  const { maxInFlight, maxRate, notFoundGraceMs: graceMs } = config.mainServer;
  const fleet = new FleetSeat(maxInFlight);
  const pace = new Pace(maxRate, fleet);
  const flow = new FlowControl({ ...config.worker, share: fleet, pace, random, loopBusyMs });
  const lag = new RegistrationLag({ graceMs, random });
  const inHand = { held: new Held(clock), notBegun: new NotBegun(), copies: new Copies() };
  return { lag, fleet, pace, flow, route: new RouteRecord(), statusPlaces: new StatusPlaces(), ...inHand };
}

function metricsOf({ identity, log, clock }: WorkerOptions, { held, lag, flow }: Flows): WorkerMetrics {
  return createWorkerMetrics(identity.workerId, {
    droppedLogLines: () => log.stats().dropped,
    heldMessages: () => held.idle,
    registrationLagMs: () => lag.lagMs,
    flow: () => flow.facts(clock.now()),
  });
}

interface MainServerAccess {
  readonly server: MainServerClient;
  readonly certificates: CertificatesInUse | undefined;
  readonly stampWhenRead: ReturnType<typeof stampOfFiles>;
}

function mainServerOf(options: WorkerOptions, metrics: WorkerMetrics): MainServerAccess {
  const { config, identity, clock, random, log } = options;
  // before the files are read: what changes between the two is seen as a change
  const stampWhenRead = stampOfFiles(config);
  const credentials = credentialsFor(config, clock.wallNow());
  const server = new MainServerClient({ config, credentials, workerId: identity.workerId, clock, random, log });
  const certificates = credentials && new CertificatesInUse({ config, credentials, server, metrics, clock });
  certificates?.showDates();
  return { server, certificates, stampWhenRead };
}

function redisOf(
  options: WorkerOptions,
  fleet: FleetSeat,
  metrics: WorkerMetrics,
): Pick<WorkerParts, 'redisWatch' | 'queue'> & Pick<Delivering, 'pause'> {
  const { config, identity, isAlone, log, clock, random } = options;
  const { workerId, nonce } = identity;
  const onConsumer = (consumer: string): void => {
    fleet.moved();
    options.onConsumer(consumer);
  };
  const redisWatch = new RedisWatch({ ...options, redis: config.redis, workerId, metrics, onConsumer });
  const onPauseSeen = (isPaused: boolean): void => pause.seen(isPaused);
  const heard = { events: redisWatch, onPauseSeen };
  const rate = config.mainServer.maxRate;
  const queue = new RedisQueue({ config, workerId, nonce, clock, random, rate, fleet, ...heard });
  const pause = new PauseWatch({ queue, isAlone, clock, log });
  return { redisWatch, queue, pause };
}

function watchedDutiesOf(
  options: WorkerOptions,
  parts: Delivering & MainServerAccess & Pick<WorkerParts, 'redisWatch' | 'queue'>,
): Duty[] {
  const { config, isAlone, clock, log } = options;
  const { queue, fleet: seat, redisWatch, certificates, stampWhenRead } = parts;
  const cap = config.mainServer.maxInFlight;
  const intervalMs = config.tls.checkIntervalMs;
  const { retryIntervalMs } = config.worker;
  return [
    createLeaseRenewal({ queue, clock, log }),
    ...(cap > 0 ? [createFleetShareDuty({ queue, seat, cap, clock, log })] : []),
    createRetryScheduler({ queue: queue.background, retryIntervalMs, clock, log }),
    tellerOf(options, parts),
    ...(isAlone ? dutiesOfOneAlone(options, parts) : []),
    createEvictionWatch({ queue, onPolicy: (policy) => redisWatch.noteEvictionPolicy(policy), clock, log }),
    ...(certificates ? [createCertificateWatch({ certificates, stampWhenRead, intervalMs, clock, log })] : []),
  ];
}

/** What a supervisor does for its workers. */
function dutiesOfOneAlone(options: WorkerOptions, parts: Pick<WorkerParts, 'queue' | 'metrics'>): Duty[] {
  return [
    recovererOf(options, parts),
    searchOf(options, parts.queue),
    sweepOf(options, parts.queue),
    historyOf(options, parts),
  ];
}

function historyOf(
  { identity, clock, log }: WorkerOptions,
  { queue, metrics }: Pick<WorkerParts, 'queue' | 'metrics'>,
): Duty {
  const written = { ...queue.background, isReady: () => queue.isReady() };
  const writer = `${identity.workerId}.${identity.nonce}`;
  return createHistoryWriting({ queue: written, writer, counts: () => metrics.totals(), clock, log });
}

function recovererOf({ clock, log }: WorkerOptions, { queue, metrics }: Pick<WorkerParts, 'queue' | 'metrics'>): Duty {
  const onBuried = (count: number): void => {
    const latest = { at: clock.wallNow(), error: `In flight at ${POISON_CRASHES} crashes`, messageId: '' };
    for (let buried = 0; buried < count; buried += 1) metrics.failed('poison', latest);
  };
  return createRecoverer({ queue: queue.background, ownConsumer: () => queue.consumer, onBuried, clock, log });
}

function searchOf({ identity, clock, log }: WorkerOptions, queue: RedisQueue): Duty {
  const searched = { ...queue.background, isReady: () => queue.isReady() };
  return createFoundListsDuty({ queue: searched, id: `${identity.workerId}.${identity.nonce}`, clock, log });
}

function sweepOf({ config, clock, log }: WorkerOptions, { background }: RedisQueue): Duty {
  return createFailureSweep({ queue: background, retryIntervalMs: config.worker.retryIntervalMs, clock, log });
}

function tellerOf(
  { config, clock, random, log }: WorkerOptions,
  { queue, server, copies, flow, fleet, pause, statusPlaces }: Omit<Delivering, 'failureCounts'>,
): Duty {
  return createBurialTeller({
    queue: queue.background,
    tell: burialTelling({ server, copies, places: statusPlaces, pause }),
    places: () => mostStatuses({ limit: flow.limit, cap: fleet.kept }),
    // without a part of the cap it has no place to tell from, and what it took would wait
    mayTell: async () => fleet.inFlightCap !== 0 && (await pause.mayBegin()),
    timeoutMs: config.mainServer.timeoutMs,
    clock,
    random,
    log,
  });
}

interface Delivering {
  readonly queue: RedisQueue;
  readonly server: MainServer;
  readonly flow: FlowControl;
  readonly route: RouteRecord;
  readonly copies: Copies;
  readonly lag: RegistrationLag;
  readonly held: Held;
  readonly notBegun: NotBegun;
  readonly fleet: FleetSeat;
  readonly statusPlaces: StatusPlaces;
  readonly pause: PauseWatch;
  readonly pace: Pace;
  readonly metrics: WorkerMetrics;
  readonly failureCounts: FailureCounts;
}

function composeWorkLoop(options: WorkerOptions, parts: Delivering): WorkLoop {
  const { queue, server, flow, route, copies, held, fleet, pace, pause, statusPlaces, metrics } = parts;
  const { config, identity, clock, log, onTurn } = options;
  const { workerId } = identity;
  const { retryIntervalMs } = config.worker;
  const observed = new ObservedServer({ server, flow, route, clock });
  const burial = new Burial({ workerId, metrics, clock });
  const givingUp = new GivingUp({ config, server: observed, burial, clock, log });
  const ungated = new Attempts({ ...parts, config, workerId, server: observed, burial, givingUp, clock, log });
  const attempts = new GatedAttempts(ungated, pause, parts.notBegun);
  const statusUpdates = new StatusUpdates({ server, copies, retryIntervalMs, places: statusPlaces, clock, log });
  const limits = config.worker;
  const flows = { flow, breaker: flow.breaker, fleet, pace, pause, limits };
  const shared = { queue, copies, held, statusPlaces, server, metrics, clock, log, onTurn };
  return new WorkLoop({ ...flows, ...shared, attempts, statusUpdates });
}
