export interface Scenario {
  readonly name: string;
  readonly workers: number;
  readonly concurrency: number;
  readonly messages: number;
  /** How many the server works on at once, and for how long. */
  readonly parallel: number;
  readonly serviceMs: (random: () => number) => (now: number) => number;
  readonly freezesBeyond?: number;
  /** There and back. */
  readonly networkMs: number;
  /** Of our processor, a message; where several processes share the cores, more than one alone needs. */
  readonly cpuMs: number;
  /** Between the starts of two workers. */
  readonly startsApartMs?: number;
}

const always = (ms: number) => () => () => ms;
const NEAR = { networkMs: 0.4, cpuMs: 0.06 };
const SERIAL = { ...NEAR, parallel: 1, serviceMs: always(6) };
/** The original main server: one after the other, and each beyond its pool of 30 freezes it for 30 s. */
const FREEZING = { ...SERIAL, freezesBeyond: 30, workers: 3 };
const AT_ONCE = { workers: 1, parallel: 1_000, serviceMs: always(0.05), networkMs: 0.1, cpuMs: 0.03 };
const POOL_OF_16 = { ...NEAR, workers: 1, concurrency: 64, parallel: 16 };

export const SCENARIOS: readonly Scenario[] = [
  { ...SERIAL, name: 'serial, 6 ms; 1 × 16', workers: 1, concurrency: 16, messages: 1_500 },
  { ...FREEZING, name: 'serial, 6 ms, freezes beyond 30; 3 × 16', concurrency: 16, messages: 3_000 },
  { ...FREEZING, name: 'serial, 6 ms, freezes beyond 30; 3 × 64', concurrency: 64, messages: 3_000 },
  {
    ...FREEZING,
    name: 'serial, 2 to 10 ms, freezes beyond 30; 3 × 64',
    concurrency: 64,
    messages: 3_000,
    serviceMs: (random) => () => 2 + 8 * random(),
  },
  {
    ...FREEZING,
    name: 'pool of 4, 25 ms, freezes beyond 30; 3 × 64',
    concurrency: 64,
    messages: 4_000,
    parallel: 4,
    serviceMs: always(25),
  },
  { ...AT_ONCE, name: 'answers at once; 1 × 4', concurrency: 4, messages: 40_000 },
  { ...AT_ONCE, name: 'answers at once; 1 × 16', concurrency: 16, messages: 60_000 },
  { ...AT_ONCE, name: 'answers at once; 1 × 64', concurrency: 64, messages: 60_000 },
  { ...AT_ONCE, name: 'on our own two cores; 4 × 64', workers: 4, concurrency: 64, messages: 80_000, cpuMs: 0.12 },
  {
    ...NEAR,
    name: 'parallel, 8 ms; 1 × 64',
    workers: 1,
    concurrency: 64,
    messages: 60_000,
    parallel: 1_000,
    serviceMs: always(8),
  },
  {
    ...POOL_OF_16,
    name: 'pool of 16, 10 ms, at times 50 ms; 1 × 64',
    messages: 60_000,
    serviceMs: () => (now) => (Math.floor(now / 15_000) % 2 === 0 ? 10 : 50),
  },
  {
    ...POOL_OF_16,
    name: 'pool of 16, 10 ms, one in a hundred 100 ms; 1 × 64',
    messages: 30_000,
    serviceMs: (random) => () => (random() < 0.01 ? 100 : 10),
  },
  {
    ...POOL_OF_16,
    name: 'pool of 16, 5 to 50 ms; 1 × 64',
    messages: 20_000,
    serviceMs: (random) => () => 5 + 45 * random(),
  },
  {
    ...NEAR,
    name: 'pool of 24, 50 ms; 3 × 64, started 10 s apart',
    workers: 3,
    concurrency: 64,
    messages: 24_000,
    parallel: 24,
    serviceMs: always(50),
    startsApartMs: 10_000,
  },
];
