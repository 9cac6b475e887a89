/**
 * The primary's loop.
 *
 *   round: act on the signals that came → reconcile the workers → start a reload or a replacement if one is due
 *          → sleep until something happens or the next deadline
 *
 * Signal handlers, child messages and exits only wake the loop; all decisions are taken in it. The loop ends when we are
 * stopping and the last child is gone.
 */
import type { Life } from '../../src/shared/life.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Wake } from '../../src/shared/time/wake.js';
import type { Operations } from '../rollout/operations.js';
import type { StatusSource } from '../status/status-source.js';
import type { OrphanGuardian } from '../workers/process/orphan-guardian.js';
import type { ResourceMonitor } from '../workers/resource-monitor.js';
import type { WorkerPool } from '../workers/worker-pool.js';
import type { Control } from './control.js';
import type { ServiceNotifier } from './sd-notify.js';
import type { SignalInbox } from './signals.js';

interface ReconcileLoopOptions {
  readonly clock: Clock;
  /** Woken by whatever the loop should look at. */
  readonly wake: Wake;
  readonly signals: Pick<SignalInbox, 'take'>;
  readonly control: Pick<Control, 'act' | 'giveUpIfFatal'>;
  readonly pool: Pick<WorkerPool, 'reconcile' | 'processes' | 'stopping' | 'dueInMs'>;
  readonly guardian: Pick<OrphanGuardian, 'watch'>;
  readonly resources: Pick<ResourceMonitor, 'notice'>;
  readonly operations: Pick<Operations, 'startIfDue' | 'dueInMs'>;
  readonly status: Pick<StatusSource, 'state' | 'summary'>;
  readonly notifier: Pick<ServiceNotifier, 'round'>;
}

const LONGEST_SLEEP_MS = 1_000;
/** Keeps a deadline that has passed but may not be acted on yet from turning the loop into a spin. */
const SHORTEST_SLEEP_MS = 10;
/** Our timer this late means that we were suspended or starved: beats lie unread, so for as long again nobody is judged. */
const SUSPENDED_MS = 2_000;

export class ReconcileLoop implements Life {
  readonly #options: ReconcileLoopOptions;
  #turning: Promise<void> | undefined;
  #stopped = false;
  #judgeFrom = 0;

  constructor(options: ReconcileLoopOptions) {
    this.#options = options;
  }

  start(): void {
    if (!this.#stopped) this.#turning ??= this.#turn();
  }

  /** No round begins any more, whoever still lives. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.wake.wake();
    await this.#turning?.catch(() => undefined); // `ended` tells
  }

  /** Of what `start` began. Rejects with what a round threw, which is a bug. */
  get ended(): Promise<void> {
    return this.#turning ?? Promise.resolve();
  }

  async #turn(): Promise<void> {
    const { clock, signals, control, pool, guardian, resources, operations, status, notifier } = this.#options;
    while (!this.#stopped) {
      for (const signal of signals.take()) control.act(signal);
      pool.reconcile(clock.now() >= this.#judgeFrom);
      guardian.watch(pool.processes.map(({ pid }) => pid));
      resources.notice(pool.processes.filter(({ hasBooted, pid }) => hasBooted && pid > 0).map(({ pid }) => pid));
      control.giveUpIfFatal();
      operations.startIfDue();
      notifier.round(status.state, status.summary);
      if (pool.stopping && pool.processes.length === 0) return;
      await this.#sleep();
    }
  }

  async #sleep(): Promise<void> {
    const { clock, wake, pool, operations } = this.#options;
    const ms = Math.max(SHORTEST_SLEEP_MS, Math.min(pool.dueInMs(), operations.dueInMs(), LONGEST_SLEEP_MS));
    const due = clock.now() + ms;
    await wake.sleep(ms);
    if (clock.now() - due > SUSPENDED_MS) this.#judgeFrom = clock.now() + SUSPENDED_MS;
  }
}
