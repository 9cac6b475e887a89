/** CPU time of a worker per message, as it was measured here and now. */
import { cpuSecondsBetween } from './delivery-times.js';
import type { MeasuredLevel } from './main-server-load.js';

export interface CpuTime {
  readonly secondsPerMessage: number;
  /** `workers`: by the running workers' own count. `requests`: the request and the exchange with Redis, measured in this process. */
  readonly by: 'workers' | 'requests';
}

interface CpuFacts {
  /** Metrics of the running workers, before and after the measurement; empty = none run. */
  readonly before: string;
  readonly after: string;
  readonly levels: readonly MeasuredLevel[];
  /** Of a round trip; undefined = not known. */
  readonly redisCpuSeconds: number | undefined;
}

/** An exchange settles and claims several messages: so many round trips a message at concurrency 4 (docs/bench). */
const ROUND_TRIPS = 0.5;

/** Undefined = it could not be measured. */
export function cpuTimeOf({ before, after, levels, redisCpuSeconds }: CpuFacts): CpuTime | undefined {
  const workers = cpuSecondsBetween(before, after);
  if (workers !== undefined) return { secondsPerMessage: workers, by: 'workers' };
  // the last one: by then this process has compiled what a worker has
  const request = levels.findLast(({ cpuSeconds }) => cpuSeconds !== undefined)?.cpuSeconds;
  if (request === undefined || redisCpuSeconds === undefined) return undefined;
  return { secondsPerMessage: request + ROUND_TRIPS * redisCpuSeconds, by: 'requests' };
}
