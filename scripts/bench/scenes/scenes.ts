/** The scenes: what happens to be hard, one by one, with their full and their quick size. */
import type { Closers } from '../../local/closers.js';
import type { Contender } from '../contenders/contender.js';
import { ratiosOf } from '../measure/ratios.js';
import { coldTable, failureTable, frozenTable, operatorTable, realOrderTable } from '../print/scene-tables.js';
import { openSink } from '../sinks/open-sink.js';
import type { Stand } from '../stand.js';
import { measureCold } from './cold.js';
import { measureFailures } from './failures.js';
import { measureFrozenServer, type FrozenRun } from './frozen-server.js';
import { measureOperator } from './operator.js';
import { measureRealOrder } from './real-order.js';

interface SceneOptions {
  /** The product first. */
  readonly contenders: readonly [Contender, ...Contender[]];
  readonly quick: boolean;
  readonly install: boolean;
}

const FAILURES_AT = 16;

export async function cold(stand: Stand, { contenders, quick }: SceneOptions) {
  const messages = quick ? 4_000 : 20_000;
  const plan = { contenders, concurrencies: quick ? [16] : [4, 16, 64], runs: quick ? 2 : 5, messages };
  const samples = await measureCold(stand, { ...plan, onSample: () => undefined });
  console.log(`${coldTable(samples)}\n`);
  return { messages, samples, ratios: ratiosOf(samples, contenders[0].name) };
}

export async function failures(stand: Stand, { contenders, quick, install }: SceneOptions, closers: Closers) {
  const { folder, certificates } = stand;
  const half = await openSink({ folder, certificates, failHalf: true, install, announce: () => undefined }, closers);
  const plan = { contenders, concurrency: FAILURES_AT, runs: quick ? 1 : 5, messages: quick ? 4_000 : 20_000 };
  const costs = await measureFailures(stand, { ...plan, half, onCost: () => undefined });
  console.log(`${failureTable(costs)}\n`);
  return { concurrency: FAILURES_AT, costs };
}

export async function frozenServer(stand: Stand, { quick }: SceneOptions) {
  const plan = quick
    ? { fixed: [4], configured: [16], messages: 300, seconds: 20 }
    : { fixed: [1, 2, 4, 8], configured: [16, 64], messages: 1_500, seconds: 100 };
  const onRun = ({ workers, concurrency, control, seconds }: FrozenRun) =>
    console.log(`freezing server, ${workers} × ${concurrency} ${control}: ${seconds.toFixed(1)} s`);
  const runs = await measureFrozenServer(stand, { ...plan, onRun });
  console.log(`${frozenTable(runs)}\n`);
  return { runs };
}

export async function realOrder(stand: Stand, { quick }: SceneOptions) {
  const found = await measureRealOrder(stand, { warmUp: quick ? 20 : 100, messages: quick ? 50 : 600 });
  console.log(`${realOrderTable(found)}\n`);
  return { found };
}

export async function operator(stand: Stand, { quick }: SceneOptions) {
  const sizes = quick
    ? { waiting: 50_000, dead: 50_000, retrying: 5_000, taken: 5_000 }
    : { waiting: 1_000_000, dead: 1_000_000, retrying: 100_000, taken: 100_000 };
  const found = await measureOperator(stand, sizes);
  console.log(`${operatorTable(found)}\n`);
  return { found };
}
