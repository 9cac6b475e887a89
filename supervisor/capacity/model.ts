/**
 * Capacity from latencies. Pure.
 *
 * The original's formula, `workers × concurrency × 1/seconds per message`, is Little's law: it holds whatever the server
 * does, as long as the seconds are those at that parallelism. A nearly serial server answers 16 at once no faster than 4,
 * each just waits longer, so the seconds are taken from the curve of measured levels and not from one lonely request.
 *
 * A slot is busy with a message for the request and for Redis: the exchange that settles it and claims the next one takes
 * a round trip, and waits on average half a round trip for the one under way.
 */

/** So many requests at once, each followed by the next. */
export interface Level {
  readonly parallel: number;
  readonly perSecond: number;
}

interface Measured {
  /** By parallelism, ascending. */
  readonly levels: readonly Level[];
  readonly redisSeconds: number;
  /** What running workers saw a delivery take, on average; undefined = nothing is known of real deliveries. */
  readonly deliverySeconds?: number | undefined;
  /** CPU time of a worker per message; undefined = not known, and then no limit. */
  readonly cpuSeconds?: number | undefined;
  /** Slots beyond it stay empty: MAIN_SERVER_MAX_IN_FLIGHT. */
  readonly mostAtOnce?: number | undefined;
}

export interface Host {
  readonly cores: number;
  readonly memoryBytes: number;
}

interface Settings {
  readonly workers: number;
  readonly concurrency: number;
}

export interface Capacity extends Settings {
  readonly perSecond: number;
  /** For the formula: a slot's time for one message. */
  readonly secondsPerMessage: number;
  /** What a higher rate would need more of. */
  readonly limit: Limit;
}

export type Limit = 'slots' | 'main server' | 'cpu';

const ROUND_TRIPS_PER_MESSAGE = 1.5;
/** Highest resident set of a worker under load (docs/bench: 120 MB), and the supervisor's. */
const WORKER_BYTES = 120e6;
const SUPERVISOR_BYTES = 65e6;
/** Redis, the log files' page cache and whatever else runs here keep the rest. */
const MEMORY_SHARE = 0.5;
/** A backlog after an outage must shrink while new messages arrive. */
export const PLANNED_LOAD = 0.7;
/** A higher rate than this share of the best one is not worth more waiting. */
const NEARLY_ALL = 0.9;
/** One may crash or be replaced while the other delivers. */
const FEWEST_WORKERS = 2;
/** The default. A delivery may take much longer than what was measured in its place, and slots too many only wait. */
const CONCURRENCY_UNTIL_KNOWN = 4;

/** The fewest requests at once with nearly the best rate. @param levels at least one */
export function enoughParallel(levels: readonly Level[]): number {
  const best = bestOf(levels);
  return levels.find(({ perSecond }) => perSecond >= NEARLY_ALL * best)?.parallel ?? 1;
}

export function bestOf(levels: readonly Level[]): number {
  return Math.max(0, ...levels.map(({ perSecond }) => perSecond));
}

/** What `settings` deliver with `measured` on `host`. */
export function capacityOf(settings: Settings, measured: Measured, host: Host): Capacity {
  const configured = settings.workers * settings.concurrency;
  const slots = Math.min(configured, measured.mostAtOnce ?? Infinity);
  const asked = slotRate(slots, measured);
  const { cpuSeconds = 0 } = measured;
  const cpu = Math.min(settings.workers, host.cores) / cpuSeconds;
  const perSecond = Math.min(asked, cpu);
  return { ...settings, perSecond, secondsPerMessage: configured / perSecond, limit: limitOf(slots, measured, cpu) };
}

/**
 * The least that delivers `target` per second with a reserve; without a target, nearly all the main server gives. Never more
 * at once than was tried: a main server may stand still at the next one.
 */
export function recommend(target: number | undefined, measured: Measured, host: Host): Settings {
  const slots = target === undefined ? enoughSlots(measured) : fewestSlots(target, measured);
  const wanted = Math.min(target ?? Infinity, slotRate(slots, measured)) / PLANNED_LOAD;
  const most = mostSlots(measured);
  const workers = Math.min(workersFor(wanted, measured, host), most);
  const fewest = measured.deliverySeconds === undefined ? CONCURRENCY_UNTIL_KNOWN : 1;
  const concurrency = Math.max(fewest, Math.ceil(slots / workers));
  return { workers, concurrency: Math.min(concurrency, Math.floor(most / workers)) };
}

/** As many as were at the main server at once in the measurement. */
function mostSlots({ levels, mostAtOnce = Infinity }: Measured): number {
  return Math.min(levels.at(-1)?.parallel ?? 1, mostAtOnce);
}

/** Workers that fit into this host's cores and memory and have the CPU time for `perSecond`. */
function workersFor(perSecond: number, { cpuSeconds = 0 }: Measured, { cores, memoryBytes }: Host): number {
  const fitting = Math.max(1, Math.floor((memoryBytes * MEMORY_SHARE - SUPERVISOR_BYTES) / WORKER_BYTES));
  const busy = Math.min(Math.ceil(perSecond * cpuSeconds), cores);
  return Math.min(Math.max(FEWEST_WORKERS, busy), fitting);
}

/** With the reserve if it can be had; else what is enough for the target; else nearly all there is. */
function fewestSlots(target: number, measured: Measured): number {
  for (const wanted of [target / PLANNED_LOAD, target]) {
    for (let slots = 1; slots <= mostSlots(measured); slots++) if (slotRate(slots, measured) >= wanted) return slots;
  }
  return enoughSlots(measured);
}

/** Slots beside those that keep the main server busy are in Redis meanwhile, or in a delivery that takes longer. */
function enoughSlots(measured: Measured): number {
  const parallel = enoughParallel(measured.levels);
  const wanted = rateAt(parallel, measured.levels);
  let slots = parallel;
  while (slots < mostSlots(measured) && slotRate(slots, measured) < NEARLY_ALL * wanted) slots++;
  return slots;
}

/** Messages per second of so many slots, were there CPU without end. */
function slotRate(slots: number, { levels, redisSeconds, deliverySeconds }: Measured): number {
  const rate = rateAt(atMainServer(slots, levels, redisSeconds), levels);
  return deliverySeconds === undefined ? rate : Math.min(rate, slots / deliverySeconds);
}

/** How many of the slots are at the main server, the others being in Redis: n + rate(n) × seconds in Redis = slots. */
function atMainServer(slots: number, levels: readonly Level[], redisSeconds: number): number {
  let [low, high] = [0, slots];
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (middle + rateAt(middle, levels) * ROUND_TRIPS_PER_MESSAGE * redisSeconds < slots) low = middle;
    else high = middle;
  }
  return high;
}

/** Between two levels in proportion; beyond the last one nothing is promised that was not measured. */
function rateAt(parallel: number, levels: readonly Level[]): number {
  let below: Level = { parallel: 0, perSecond: 0 };
  for (const level of levels) {
    if (parallel <= level.parallel) {
      const share = (parallel - below.parallel) / (level.parallel - below.parallel);
      return below.perSecond + share * (level.perSecond - below.perSecond);
    }
    below = level;
  }
  return below.perSecond;
}

function limitOf(slots: number, measured: Measured, cpu: number): Limit {
  const rate = slotRate(slots, measured);
  if (rate >= cpu) return 'cpu';
  return rate >= NEARLY_ALL * bestOf(measured.levels) ? 'main server' : 'slots';
}
