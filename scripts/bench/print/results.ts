/** results.json: each part as it was last measured, with the machine it was measured on. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Curve } from '../measure/growth.js';
import type { Latency } from '../measure/latency.js';
import type { Comparison, Ratio } from '../measure/ratios.js';
import type { Summary } from '../measure/summaries.js';
import type { Sample } from '../measure/throughput.js';
import type { FailureCost } from '../scenes/failures.js';
import type { FrozenRun } from '../scenes/frozen-server.js';
import type { OperatorRun } from '../scenes/operator.js';
import type { RealOrder } from '../scenes/real-order.js';

export interface Machine {
  readonly measuredAt: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly node: string;
  readonly redis: string;
  readonly sink: string;
  readonly bullmq: string;
}

export interface Results {
  readonly throughput?: {
    readonly machine: Machine;
    readonly messages: number;
    readonly summaries: readonly Summary[];
    readonly ratios: readonly Ratio[];
    /** With `--against`: one per concurrency. */
    readonly comparisons?: readonly Comparison[];
    readonly samples: readonly Sample[];
  };
  readonly latency?: { readonly machine: Machine; readonly concurrency: number; readonly loads: readonly Latency[] };
  readonly cold?: {
    readonly machine: Machine;
    readonly messages: number;
    readonly ratios: readonly Ratio[];
    readonly samples: readonly Sample[];
  };
  readonly failures?: {
    readonly machine: Machine;
    readonly concurrency: number;
    readonly costs: readonly FailureCost[];
  };
  readonly frozenServer?: { readonly machine: Machine; readonly runs: readonly FrozenRun[] };
  readonly realOrder?: { readonly machine: Machine; readonly found: RealOrder };
  readonly operator?: { readonly machine: Machine; readonly found: OperatorRun };
  readonly growth?: { readonly machine: Machine; readonly concurrency: number; readonly curves: readonly Curve[] };
}

export async function describeMachine(redis: string, sink: string): Promise<Machine> {
  const manifest = new URL('../../../../node_modules/bullmq/package.json', import.meta.url);
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
  return {
    measuredAt: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.versions.node,
    redis,
    sink,
    bullmq: version,
  };
}

/** Parts that were not measured now stay as they were. */
export async function writeResults(folder: string, measured: Results, draw: (all: Results) => string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'results.json');
  const former = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Results,
    () => ({}),
  );
  const all = { ...former, ...measured };
  await writeFile(file, `${JSON.stringify(all, rounded, 2)}\n`);
  await writeFile(join(folder, 'picture.svg'), draw(all));
}

/** Four digits are more than a shared machine can tell. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
