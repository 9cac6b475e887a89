/** Builds the parts of the primary and says in which order they live. */
import { hostname } from 'node:os';
import type { LoadedConfig } from '../../src/shared/config/load.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Logger } from '../../src/shared/logger/logger.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Random } from '../../src/shared/time/random.js';
import { Wake } from '../../src/shared/time/wake.js';
import { Burials } from '../queue/burials.js';
import type { Origin } from '../admin/protocol.js';
import { ClaimRecovery } from '../queue/claim-recovery.js';
import { DeadLetterExpiry } from '../queue/dead-letter-expiry.js';
import { FailureSweeper } from '../queue/failure-sweeper.js';
import { FleetKeeping } from '../queue/fleet-keeping.js';
import { FoundLists } from '../queue/found-lists.js';
import { HistoryKeeping } from '../queue/history-keeping.js';
import { LeaseObserver } from '../queue/lease-observer.js';
import { AuditBook } from '../queue/audit-book.js';
import { QueueAccess } from '../queue/queue-access.js';
import { QueueMonitor } from '../queue/queue-monitor.js';
import { QueueMove } from '../queue/queue-move.js';
import { Operations } from '../rollout/operations.js';
import { Reload, type Adopter } from '../rollout/reload.js';
import { presenceOf } from '../status/documents/fleet-presence.js';
import { ArrivalsMeter } from '../status/arrivals-meter.js';
import { CountLedger } from '../status/counts.js';
import type { StatusSource } from '../status/status-source.js';
import { isStandingStill } from '../status/documents/verdict.js';
import type { ChildProcess } from '../workers/process/child-process.js';
import { OrphanGuardian } from '../workers/process/orphan-guardian.js';
import { ResourceMonitor } from '../workers/resource-monitor.js';
import { WorkerPool } from '../workers/worker-pool.js';
import { ReconcileLoop } from './reconcile-loop.js';
import { ServiceNotifier } from './sd-notify.js';
import { SignalInbox } from './signals.js';
import { surfaceOf, type Surface } from './surface.js';

interface CompositionOptions {
  readonly loaded: LoadedConfig;
  /** Reads the configuration again from the same sources; throws ConfigError. */
  readonly reload: () => LoadedConfig;
  readonly origin: Origin;
  /** Absolute path of the compiled entry of the children. */
  readonly childEntry: string;
  readonly fork: () => ChildProcess;
  /** Most processes that boot at the same time. */
  readonly bootAtOnce: number;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log & Pick<Logger, 'setLevel'>;
  readonly clock: Clock;
  readonly random: Random;
  /** Another text at each call, of letters and digits. */
  readonly nonce: () => string;
}

/** What most parts are given. */
interface Base extends Pick<CompositionOptions, 'log' | 'clock'> {
  /** Wakes the reconcile loop. */
  readonly onChange: () => void;
}

/** The whole primary as one life. */
export class Composition implements Life {
  readonly #parts: readonly Life[];
  readonly #loop: ReconcileLoop;
  readonly #pool: WorkerPool;

  constructor(options: CompositionOptions) {
    const { log, clock, random, loaded } = options;
    const { config } = loaded;
    const wake = new Wake(clock);
    const base: Base = { log, clock, onChange: () => wake.wake() };
    const { signals, guardian, notifier } = hostOf(base, options);
    const access = new QueueAccess({ clock, random });
    const queue = new QueueMonitor({ ...base, access, settings: config });
    const { burials, recovery, observer, sweeper, foundLists } = keepersOf(base, options, access);
    const workers = workersOf(base, options, recovery);
    const audit = new AuditBook({ ...base, access, settings: () => workers.pool.config });
    const expiry = new DeadLetterExpiry({ ...base, access, settings: config, id: options.nonce(), audit });
    const arrivals = new ArrivalsMeter();
    const isStandstill = (): boolean => isStandingStill(surface.status.document());
    const history = historyOf(base, options, { ...workers, burials, access, arrivals, isStandstill });
    const fleet = fleetOf(base, options, access, () => surface.status);
    const looking = { queue, observer, foundLists, sweeper, expiry, history, fleet };
    const rollout = rolloutOf(base, options.reload, { ...workers, ...looking, access });
    const shown = { ...workers, ...rollout, ...looking, arrivals, audit };
    const given = { supervisor: config.supervisor, origin: options.origin };
    const surface: Surface = surfaceOf({ ...base, ...shown, ...given });
    this.#pool = workers.pool;
    this.#loop = new ReconcileLoop({ ...base, ...workers, ...rollout, ...surface, wake, signals, guardian, notifier });
    /*
     * Before there is a child, orphans are guarded and signals heard, and what a child may leave behind can be recovered;
     * before anything is measured or told, there is somebody who knows. The loop comes last, since it moves all of them.
     * In reverse: the loop has ended and the last child is gone before what they used is; whoever waits for an operation has
     * his answer before the listeners close; what the last killed ones held is recovered, and the last that was counted is written,
     * while Redis is still connected.
     */
    this.#parts = [
      signals,
      guardian,
      notifier,
      access,
      queue,
      recovery,
      observer,
      foundLists,
      audit,
      expiry,
      history,
      fleet,
      sweeper,
      ...surface.lives,
      rollout.resources,
      rollout.operations,
      workers.pool,
      this.#loop,
    ];
  }

  /** Rejects with ConfigError when REDIS_TLS_CA_PATH cannot be read; `stop` then ends what had started. */
  async start(): Promise<void> {
    for (const part of this.#parts) await part.start();
  }

  async stop(): Promise<void> {
    for (const part of this.#parts.toReversed()) await part.stop();
  }

  /** Until we have been told to stop, or no worker can start, and the last child is gone. */
  get ended(): Promise<void> {
    return this.#loop.ended;
  }

  /** Once it has ended: 0 after a clean stop, 1 when a child had to be killed; else why no child could be started. */
  get exitCode(): number {
    return this.#pool.exitCode;
  }
}

interface Workers {
  readonly pool: WorkerPool;
  readonly counts: CountLedger;
}

function workersOf(base: Base, options: CompositionOptions, recovery: ClaimRecovery): Workers {
  const { loaded, fork, bootAtOnce, random, nonce } = options;
  const counts = new CountLedger();
  const pool = new WorkerPool({
    ...base,
    config: loaded.config,
    fork,
    bootAtOnce,
    random,
    nonce,
    onGone: (handle, slot) => {
      counts.keep(handle, slot);
      if (handle.activatedAt !== undefined) recovery.recoverDead(handle);
    },
  });
  return { pool, counts };
}

/** What this process has to do with the machine it runs on. */
function hostOf(base: Base, { childEntry, environment }: CompositionOptions) {
  return {
    signals: new SignalInbox(base.clock, base.onChange),
    guardian: new OrphanGuardian({ ...base, entry: childEntry }),
    notifier: new ServiceNotifier({ ...base, environment }),
  };
}

/** Who keeps in order what the queue's consumers leave behind. */
function keepersOf(base: Base, { loaded: { config: settings }, nonce }: CompositionOptions, access: QueueAccess) {
  const burials = new Burials();
  const given = { ...base, access, settings, burials };
  return {
    burials,
    recovery: new ClaimRecovery(given),
    observer: new LeaseObserver(given),
    sweeper: new FailureSweeper(given),
    foundLists: new FoundLists({ ...given, id: `supervisor.${nonce()}` }),
  };
}

interface HistorySources {
  readonly access: QueueAccess;
  readonly burials: Burials;
  readonly arrivals: ArrivalsMeter;
  readonly isStandstill: () => boolean;
}

function historyOf(
  base: Base,
  { loaded, nonce }: CompositionOptions,
  { access, burials, arrivals, isStandstill, pool, counts }: Workers & HistorySources,
): HistoryKeeping {
  return new HistoryKeeping({
    ...base,
    access,
    settings: loaded.config,
    id: `supervisor.${nonce()}`,
    counts: () => {
      const counted = counts.history(pool.slots);
      return { ...counted, buried: counted.buried + burials.count };
    },
    isStandstill,
    arrivals,
  });
}

/** One instance of a host differs from another in its port. */
function fleetOf(
  base: Base,
  { loaded, nonce }: CompositionOptions,
  access: QueueAccess,
  status: () => Pick<StatusSource, 'document'>,
): FleetKeeping {
  return new FleetKeeping({
    ...base,
    access,
    settings: loaded.config,
    name: { host: hostname(), instance: String(loaded.config.supervisor.port) },
    id: `supervisor.${nonce()}`,
    presence: () => presenceOf(status().document()),
  });
}

interface Rollout {
  readonly reload: Reload;
  readonly operations: Operations;
  readonly resources: ResourceMonitor;
}

interface RolloutUsers extends Workers {
  readonly foundLists: FoundLists;
  readonly expiry: DeadLetterExpiry;
  readonly history: HistoryKeeping;
  readonly fleet: FleetKeeping;
  readonly sweeper: FailureSweeper;
  readonly queue: QueueMonitor;
  readonly observer: LeaseObserver;
  readonly access: QueueAccess;
}

function rolloutOf(
  base: Base,
  read: CompositionOptions['reload'],
  { pool, queue, observer, foundLists, sweeper, expiry, history, fleet, access }: RolloutUsers,
): Rollout {
  const level: Adopter = { adopt: ({ logging }) => base.log.setLevel(logging.level) };
  const oldQueue = new QueueMove({
    access,
    consumers: () => pool.processes.flatMap(({ consumers }) => [...consumers]),
  });
  const adopters = [level, queue, observer, foundLists, sweeper, expiry, history, fleet];
  const reload = new Reload({ ...base, read, pool, adopters, oldQueue });
  const operations = new Operations({ ...base, pool, reload });
  const resources = new ResourceMonitor({
    ...base,
    pids: () => pool.processes.map(({ pid }) => pid).filter((pid) => pid > 0),
    limitBytes: () => pool.config.worker.maxMemoryBytes,
    onBloated: (pid, bytes) => operations.requestReplacement(pid, bytes),
  });
  return { reload, operations, resources };
}
