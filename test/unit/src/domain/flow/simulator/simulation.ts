import { Events, seeded } from './events.js';
import type { Scenario } from './scenarios.js';
import { SimulatedServer } from './simulated-server.js';
import { SimulatedWorker, type Backlog, type Limiter } from './simulated-worker.js';

export interface Result {
  readonly ms: number;
  readonly mostInFlight: number;
  readonly freezes: number;
  readonly p95Ms: number;
  /** What the worker that delivered least got of an equal share, from when all run. */
  readonly leastShare: number;
  readonly limits: readonly number[];
}

export type LimiterOf = (parts: {
  readonly most: number;
  readonly consumers: number;
  readonly random: () => number;
  readonly loopBusyMs: () => number;
}) => Limiter;

const GIVEN_UP_AFTER_MS = 600_000;

/** Delivers a scenario's messages and says how that went. */
export function simulate(scenario: Scenario, limiterOf: LimiterOf): Result {
  const { workers: consumers, concurrency: most, messages, cpuMs, startsApartMs = 0 } = scenario;
  const events = new Events();
  const random = seeded(1);
  const server = new SimulatedServer(events, { ...scenario, serviceMs: scenario.serviceMs(random) });
  const backlog: Backlog = { left: messages, delivered: 0 };
  const workers = Array.from(
    { length: consumers },
    () =>
      new SimulatedWorker({
        events,
        server,
        backlog,
        cpuMs,
        limiterOf: (loopBusyMs) => limiterOf({ most, consumers, random, loopBusyMs }),
      }),
  );
  let atLastStart: number[] = [];
  for (const [at, worker] of workers.entries()) {
    events.at(at * startsApartMs, () => {
      worker.start();
      atLastStart = workers.map(({ delivered }) => delivered);
    });
  }
  events.run(GIVEN_UP_AFTER_MS, () => backlog.delivered === messages);
  const since = workers.map(({ delivered }, at) => delivered - (atLastStart[at] ?? 0));
  const times = workers.flatMap((worker) => worker.times).sort((a, b) => a - b);
  return {
    ms: backlog.delivered === messages ? events.now : Infinity,
    mostInFlight: server.mostInFlight,
    freezes: server.freezes,
    p95Ms: times[Math.floor(times.length * 0.95)] ?? Infinity,
    leastShare: (Math.min(...since) * consumers) / since.reduce((sum, count) => sum + count, 0),
    limits: workers.map(({ limiter }) => limiter.limit),
  };
}
