import type { Deed } from '../../../src/domain/audit/deed.js';
import type { Config } from '../../../src/shared/config/config.js';
import { Wake } from '../../../src/shared/time/wake.js';
import { Control } from '../../../supervisor/primary/control.js';
import { CountLedger } from '../../../supervisor/status/counts.js';
import { ReconcileLoop } from '../../../supervisor/primary/reconcile-loop.js';
import type { ReceivedSignal } from '../../../supervisor/primary/signals.js';
import { Operations } from '../../../supervisor/rollout/operations.js';
import { Reload, type Adopter, type OldQueue } from '../../../supervisor/rollout/reload.js';
import { StatusSource } from '../../../supervisor/status/status-source.js';
import { NO_ARRIVALS } from '../../../supervisor/status/arrivals-meter.js';
import { NO_TRAFFIC } from '../../../supervisor/status/traffic-meter.js';
import { ResourceMonitor } from '../../../supervisor/workers/resource-monitor.js';
import type { WorkerHandle } from '../../../supervisor/workers/worker-handle.js';
import { WorkerPool } from '../../../supervisor/workers/worker-pool.js';
import { testConfig } from '../../support/program/config.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { recordedLog } from './recorded-log.js';
import { ObedientChild } from './workers/obedient-child.js';

export interface WantedWorkers {
  readonly count: number;
  /** Words for ObedientChild. */
  readonly faults?: string;
}

const FIRST_PID = 100;
const BOOT_AT_ONCE = 2;

export function configFor({ count, faults = 'none' }: WantedWorkers): Config {
  return testConfig({ worker: { count }, queue: { name: faults } });
}

/** Pool, rollout, control and loop of a primary as they are, with children and time that the test owns. */
export class VirtualPrimary {
  readonly clock = new VirtualClock();
  readonly log = recordedLog();
  /** In the order of their start; the pids count up from 100. */
  readonly children: ObedientChild[] = [];
  readonly gone: WorkerHandle[] = [];
  readonly adopted: Config[] = [];
  /** What systemd is told, a line each round. */
  readonly rounds: string[] = [];
  /** As they stand in the audit. */
  readonly deeds: Deed[] = [];
  /** Of the last round. */
  guarded: readonly number[] = [];
  readonly pool: WorkerPool;
  readonly operations: Operations;
  readonly reload: Reload;
  readonly status: StatusSource;
  readonly control: Control;
  readonly loop: ReconcileLoop;
  /** What a reload reads. */
  read: () => Config;
  /** What it finds where messages were taken from. */
  oldQueue: OldQueue = { before: async () => ({ isOne: false }), after: async () => undefined };

  readonly #wake = new Wake(this.clock);
  readonly #signals: ReceivedSignal[] = [];

  constructor(wanted: WantedWorkers, adopters: readonly Adopter[] = []) {
    const { clock, log } = this;
    const config = configFor(wanted);
    const onChange = (): void => this.#wake.wake();
    this.read = () => config;
    this.pool = new WorkerPool({
      config,
      log,
      clock,
      random: () => 0.5,
      nonce: () => 'abc',
      fork: () => this.#fork(),
      bootAtOnce: BOOT_AT_ONCE,
      onChange,
      onGone: (handle) => this.gone.push(handle),
    });
    this.reload = new Reload({
      read: () => ({
        config: this.read(),
        sources: { configFile: undefined, envFile: undefined },
        environment: {},
        warnings: [],
      }),
      pool: this.pool,
      adopters: [{ adopt: (adopted) => void this.adopted.push(adopted) }, ...adopters],
      oldQueue: {
        before: (was, is) => this.oldQueue.before(was, is),
        after: (was) => this.oldQueue.after(was),
      },
      log,
      clock,
    });
    this.operations = new Operations({ pool: this.pool, reload: this.reload, log, clock, onChange });
    const resources = new ResourceMonitor({
      log,
      clock,
      pids: () => this.pool.processes.map(({ pid }) => pid),
      limitBytes: () => 0,
      onBloated: () => undefined,
      sample: async (pids) => Object.fromEntries(pids.map((pid) => [pid, { cpu: 12, memory: 34 }])),
    });
    this.status = new StatusSource({
      clock,
      pool: this.pool,
      operations: this.operations,
      reload: this.reload,
      queue: { sight: undefined, redisUp: true, evictionPolicy: undefined },
      resources,
      counts: new CountLedger(),
      traffic: () => NO_TRAFFIC,
      arrivals: () => NO_ARRIVALS,
      errors: () => [],
      fleet: () => undefined,
      troubles: () => [],
      failingDuties: () => [],
    });
    const { pool, operations, status } = this;
    const audit = { note: async (deed: Deed) => void this.deeds.push(deed) };
    this.control = new Control({ pool, operations, audit, log, onChange, status: () => status.document() });
    this.loop = new ReconcileLoop({
      clock,
      wake: this.#wake,
      signals: { take: () => this.#signals.splice(0) },
      control: this.control,
      pool,
      guardian: { watch: (pids) => (this.guarded = pids) },
      resources,
      operations,
      status,
      notifier: { round: (state, text) => void this.rounds.push(`${state}: ${text}`) },
    });
  }

  /** Started, and all workers ready. */
  static async ready(wanted: WantedWorkers, adopters: readonly Adopter[] = []): Promise<VirtualPrimary> {
    const primary = new VirtualPrimary(wanted, adopters);
    primary.loop.start();
    await primary.clock.advance(1_500);
    if (primary.readyPids().length !== wanted.count) throw new Error(primary.log.lines.join('\n'));
    return primary;
  }

  /** Runs the next reload with this. */
  readonly reads = (wanted: WantedWorkers): void => {
    const config = configFor(wanted);
    this.read = () => config;
  };

  readonly receive = (action: ReceivedSignal['action'], number = 15): void => {
    this.#signals.push({ action, number });
    this.#wake.wake();
  };

  readonly child = (pid: number): ObedientChild => {
    const child = this.children[pid - FIRST_PID];
    if (!child) throw new Error(`There is no child ${pid}.`);
    return child;
  };

  /** By slot; undefined = no process holds it. */
  readonly pids = (): (number | undefined)[] => this.pool.slots.map(({ current }) => current?.pid);

  readonly readyPids = (): number[] =>
    this.pool.slots.flatMap(({ current }) => (current?.isConsuming ? [current.pid] : []));

  #fork(): ObedientChild {
    const child = new ObedientChild(FIRST_PID + this.children.length, this.clock);
    this.children.push(child);
    return child;
  }
}
