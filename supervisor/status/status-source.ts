import type { FleetSight } from '../../src/domain/fleet/fleet-watch.js';
import { packageVersion } from '../../src/shared/config/package-root.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { QueueMonitor } from '../queue/queue-monitor.js';
import type { Operations } from '../rollout/operations.js';
import type { Reload } from '../rollout/reload.js';
import type { ResourceMonitor } from '../workers/resource-monitor.js';
import type { WorkerPool } from '../workers/worker-pool.js';
import { slotIdentity } from '../workers/worker-slot.js';
import type { CountLedger } from './counts.js';
import { statusFacts } from './documents/status-builder.js';
import { judged } from './judgement/judged.js';
import { Onsets } from './judgement/onsets.js';
import { reloadFailure } from './judgement/supervisor-concerns.js';
import type {
  ArrivalsStatus,
  ErrorStatus,
  FailingDuty,
  StatusDocument,
  SupervisorState,
  TrafficStatus,
} from './status-document.js';

interface StatusSourceOptions {
  readonly clock: Clock;
  readonly pool: WorkerPool;
  readonly operations: Pick<Operations, 'isReloading'>;
  readonly reload: Pick<Reload, 'last' | 'counts'>;
  readonly queue: Pick<QueueMonitor, 'sight' | 'redisUp' | 'evictionPolicy'>;
  readonly resources: Pick<ResourceMonitor, 'usage'>;
  readonly counts: CountLedger;
  readonly traffic: () => TrafficStatus;
  readonly arrivals: () => ArrivalsStatus;
  readonly errors: () => readonly ErrorStatus[];
  readonly fleet: () => FleetSight | undefined;
  /** What of the supervisor itself does not work, a sentence each. */
  readonly troubles: () => readonly string[];
  /** Of its own duties, those that have failed for 10 s. */
  readonly failingDuties: () => readonly FailingDuty[];
}

/** Gathers what the parts know into the status of this moment. */
export class StatusSource {
  readonly #options: StatusSourceOptions;
  readonly #startedAt: number;
  readonly #onsets = new Onsets();

  constructor(options: StatusSourceOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /** `running` as soon as a worker is at work, even without Redis: waiting for it is our work too. */
  get state(): SupervisorState {
    const { pool, operations } = this.#options;
    if (pool.stopping) return 'stopping';
    if (operations.isReloading) return 'reloading';
    return pool.hasWorked ? 'running' : 'starting';
  }

  get summary(): string {
    const { clock, pool } = this.#options;
    const now = clock.now();
    return `${pool.slots.filter((slot) => slot.isServed(now)).length} of ${pool.target} workers ready`;
  }

  document(): StatusDocument {
    const { clock, pool, reload, queue, resources, counts, traffic, arrivals, errors, fleet } = this.#options;
    const { config } = pool;
    const wallNow = clock.wallNow();
    const facts = statusFacts({
      now: clock.now(),
      wallNow,
      startedAt: this.#startedAt,
      version: packageVersion(),
      state: this.state,
      workersWanted: pool.target,
      lastReload: reload.last,
      reloads: reload.counts,
      reasons: this.#reasons(),
      failingDuties: this.#options.failingDuties(),
      slots: pool.slots,
      identity: (slot) => slotIdentity(config, slot),
      usage: (pid) => resources.usage(pid),
      queueName: config.queue.name,
      redisUp: queue.redisUp,
      queue: queue.sight,
      counts,
      traffic: traffic(),
      arrivals: arrivals(),
      errors: errors(),
      fleet: fleet(),
      evictionPolicy: queue.evictionPolicy,
    });
    return judged(facts, this.#onsets, wallNow);
  }

  #reasons(): readonly string[] {
    const { reload, troubles } = this.#options;
    const failed = reload.last?.ok === false ? [reloadFailure(reload.last.reason ?? null)] : [];
    return [...failed, ...troubles()];
  }
}
