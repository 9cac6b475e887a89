import { Counter, Gauge, Registry, type Metric } from 'prom-client';
import { DUTIES } from '../../src/shared/words/duties.js';
import { SHOWN_STATES, type StatusDocument } from './status-document.js';
import { NO_EVICTION } from './judgement/queue-concerns.js';

const FLEET_STATES = ['alive', 'vanished', 'stopped'] as const;

/** The primary's own metrics, made of the status document at each scrape. */
export class SupervisorMetrics {
  readonly #registry = new Registry();

  readonly contentType = this.#registry.contentType;
  readonly #workers = this.#gauge('supervisor_workers', 'Workers by state', ['state']);
  readonly #wanted = this.#gauge('supervisor_workers_wanted', 'Workers there should be');
  readonly #uptime = this.#gauge('supervisor_uptime_seconds', 'Seconds since the supervisor started');
  readonly #lastReloadOk = this.#gauge(
    'supervisor_last_reload_success',
    'Whether the last reload succeeded (1) or not (0)',
  );
  readonly #cpu = this.#gauge('supervisor_child_cpu_percent', 'CPU of a worker process, 100 = one core', ['worker_id']);
  readonly #memory = this.#gauge('supervisor_child_memory_bytes', 'Resident memory of a worker process', ['worker_id']);
  readonly #redisUp = this.#gauge('supervisor_redis_up', 'Whether Redis answers the supervisor (1) or not (0)');
  readonly #restarts = this.#counter('supervisor_worker_restarts_total', 'Unplanned restarts of a worker', [
    'worker_id',
  ]);
  readonly #hangs = this.#counter('supervisor_worker_hangs_total', 'Restarts of a worker that sent no heartbeat', [
    'worker_id',
  ]);
  readonly #reloads = this.#counter('supervisor_reloads_total', 'Reloads by result', ['result']);
  readonly #consuming = this.#gauge('supervisor_worker_consuming', 'Whether a worker takes messages (1) or not (0)', [
    'worker_id',
  ]);
  readonly #breakerOpen = this.#gauge(
    'supervisor_worker_breaker_open',
    'Whether a worker holds deliveries back because the main server cannot be reached (1) or not (0)',
    ['worker_id'],
  );
  readonly #certificateNotAfter = this.#gauge(
    'supervisor_certificate_not_after_seconds',
    'Unix time at which the certificate in the file expires',
    ['file'],
  );
  readonly #evictionSafe = this.#gauge(
    'redis_eviction_safe',
    'Whether maxmemory-policy is noeviction (1), or Redis may delete the queue (0)',
  );
  readonly #paused = this.#gauge('message_broker_paused', 'Whether all deliveries are paused (1) or not (0)');
  readonly #waiting = this.#gauge('redis_queue_length', 'Messages waiting in the queue');
  readonly #processing = this.#gauge('redis_processing_length', 'Messages claimed by a worker and not settled');
  readonly #retrying = this.#gauge('redis_retry_length', 'Failed messages waiting for their next attempt');
  readonly #dead = this.#gauge('redis_dead_length', 'Dead letters');
  readonly #oldestWait = this.#gauge('redis_oldest_wait_seconds', 'Age of the message that waits longest');

  readonly #fleet = this.#gauge(
    'supervisor_fleet_hosts',
    'Supervisors, and workers without one, on this queue: alive, vanished (not a word for 15 s) or stopped within a day',
    ['state'],
  );
  readonly #retryOverdue = this.#gauge(
    'redis_oldest_retry_overdue_seconds',
    'How long the retry that is due first has been due',
  );
  readonly #dutyFailing = this.#gauge(
    'supervisor_duty_failing',
    'Whether a duty beside deliveries has failed for 10 s in the supervisor or a worker of it (1) or not (0)',
    ['duty'],
  );
  readonly #arrivals = this.#counter('redis_arrivals_total', 'Messages that have arrived since the history began');

  /** Prometheus's text format. Sizes of the queue are absent while Redis is away: an old number would look like a fact. */
  async scrape(status: StatusDocument): Promise<string> {
    const { supervisor, workers, queue, fleet, certificates } = status;
    this.#registry.resetMetrics();
    for (const state of SHOWN_STATES) {
      this.#workers.set({ state }, workers.filter((worker) => worker.state === state).length);
    }
    this.#wanted.set(supervisor.workers_wanted);
    this.#uptime.set(supervisor.uptime_seconds);
    this.#lastReloadOk.set(supervisor.last_reload?.ok === false ? 0 : 1);
    this.#redisUp.set(queue.redis_up ? 1 : 0);
    this.#reloads.inc({ result: 'ok' }, supervisor.reloads_succeeded);
    this.#reloads.inc({ result: 'failed' }, supervisor.reloads_failed);
    for (const { id, restarts, hangs, consuming, breaker, cpu_percent, memory_bytes } of workers) {
      this.#restarts.inc({ worker_id: id }, restarts);
      this.#hangs.inc({ worker_id: id }, hangs);
      this.#consuming.set({ worker_id: id }, consuming ? 1 : 0);
      this.#breakerOpen.set({ worker_id: id }, breaker === null || breaker === 'closed' ? 0 : 1);
      if (cpu_percent !== null) this.#cpu.set({ worker_id: id }, cpu_percent);
      if (memory_bytes !== null) this.#memory.set({ worker_id: id }, memory_bytes);
    }
    for (const { file, not_after: notAfter } of certificates) {
      this.#certificateNotAfter.set({ file }, Date.parse(notAfter) / 1_000);
    }
    const { eviction_policy: policy } = queue;
    showIfKnown(this.#evictionSafe, policy === null ? null : Number(policy === NO_EVICTION));
    showIfKnown(this.#paused, queue.waiting === null ? null : Number(queue.paused !== null));
    showIfKnown(this.#waiting, queue.waiting);
    showIfKnown(this.#processing, queue.processing);
    showIfKnown(this.#retrying, queue.retrying);
    showIfKnown(this.#dead, queue.dead);
    showIfKnown(this.#oldestWait, queue.oldest_wait_seconds);
    if (fleet) for (const state of FLEET_STATES) this.#fleet.set({ state }, fleet[state]);
    showIfKnown(this.#retryOverdue, queue.oldest_retry_overdue_seconds);
    this.#setDuties([supervisor, ...workers]);
    if (queue.arrivals.arrived !== null) this.#arrivals.inc(queue.arrivals.arrived);
    return this.#registry.metrics();
  }

  #setDuties(processes: readonly Pick<StatusDocument['supervisor'], 'failing_duties'>[]): void {
    const failing = processes.flatMap(({ failing_duties: duties }) => duties.map(({ duty }) => duty));
    for (const duty of DUTIES) this.#dutyFailing.set({ duty }, failing.includes(duty) ? 1 : 0);
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return this.#register(new Gauge({ name, help, labelNames, registers: [] }));
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return this.#register(new Counter({ name, help, labelNames, registers: [] }));
  }

  #register<T extends Metric>(metric: T): T {
    this.#registry.registerMetric(metric);
    return metric;
  }
}

function showIfKnown(gauge: Gauge, value: number | null): void {
  if (value === null) gauge.remove();
  else gauge.set(value);
}
