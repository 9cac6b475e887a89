import { withOperatorQueue } from '../../src/queue/operator-queue.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Config } from '../../src/shared/config/config.js';
import { MOST_ROUND_TRIPS } from './limits.js';
import { latenciesOf, type Latencies } from './statistics.js';

const WARM_UP = 20;

export interface RoundTrips extends Latencies {
  /** CPU time of this process per round trip. */
  readonly cpuSeconds: number;
}

/** LLEN of the queue, one after the other, for so long. Rejects with RedisUnavailableError. */
export function measureRoundTrips(config: Config, clock: Clock, ms: number): Promise<RoundTrips> {
  return withOperatorQueue(config, clock, async (queue) => {
    const taken: number[] = [];
    const endMs = clock.now() + ms;
    const cpuBefore = process.cpuUsage();
    // with a key, so that a cluster is asked where the queue is
    let asked = 0;
    for (; asked < MOST_ROUND_TRIPS; asked++) {
      const startMs = clock.now();
      await queue.ask('LLEN', config.queue.name);
      if (asked >= WARM_UP || clock.now() > endMs) taken.push(clock.now() - startMs);
      if (clock.now() > endMs) break;
    }
    const { user, system } = process.cpuUsage(cpuBefore);
    return { ...latenciesOf(taken), cpuSeconds: (user + system) / 1e6 / (asked + 1) };
  });
}
