/**
 * Measures the product beside its peers. Run by scripts/tasks/run.mjs, which builds it. Absolute numbers belong to one
 * machine and one hour; the ratios within one run are what counts.
 *
 * Exit codes: 0 done, 1 failure, 2 wrong usage, 130 interrupted.
 */
import { mkdir } from 'node:fs/promises';
import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { Closers } from '../local/closers.js';
import { EXIT_USAGE } from '../local/command-line.js';
import { ours } from './contenders/ours.js';
import { bareLoop, bullmq } from './contenders/peers.js';
import { measureGrowth, type Curve } from './measure/growth.js';
import { measureLatency } from './measure/latency.js';
import { topSelfTimes } from './measure/profile.js';
import { comparisonsOf, ratiosOf } from './measure/ratios.js';
import { summarise } from './measure/summaries.js';
import { measureThroughput, type Sample } from './measure/throughput.js';
import { parseCommandLine, type BenchOptions } from './options.js';
import { goalTable, goalsOf } from './print/goals.js';
import { drawPicture } from './print/picture.js';
import { describeMachine, writeResults, type Results } from './print/results.js';
import { comparisonTable, curveTable, latencyTable, profileTable, ratioTable, throughputTable } from './print/table.js';
import { cold, failures, frozenServer, operator, realOrder } from './scenes/scenes.js';
import { openStand, type Stand } from './stand.js';

const OURS = 'this worker';
const OTHER = 'the other checkout';
const CONCURRENCY = 16;
const TOP = 10;
const EXIT_INTERRUPTED = 130;

async function main(argv: readonly string[]): Promise<number> {
  const line = parseCommandLine(argv);
  if (line.kind === 'help') return 0;
  if (line.kind === 'wrong') {
    console.error(line.sentence);
    return EXIT_USAGE;
  }
  const closers = new Closers();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void closers.close().finally(() => process.exit(EXIT_INTERRUPTED)));
  }
  try {
    await bench(line.options, closers);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return EXIT_FAILURE;
  } finally {
    await closers.close();
  }
}

async function bench(options: BenchOptions, closers: Closers): Promise<void> {
  const { parts, out } = options;
  const stand = await openStand({ install: options.install, announce: console.log }, closers);
  const machine = await describeMachine(stand.redisVersion, stand.sink.kind);
  console.log(
    `${machine.cores} × ${machine.cpu}, Node ${machine.node}, Redis ${machine.redis}, sink: ${machine.sink}\n`,
  );
  const scene = { contenders: [ours(OURS), bullmq], quick: options.quick, install: options.install } as const;
  const results: Results = {
    ...(parts.throughput && { throughput: { machine, ...(await throughput(stand, options)) } }),
    ...(parts.latency && { latency: { machine, ...(await latency(stand, options)) } }),
    ...(parts.cold && { cold: { machine, ...(await cold(stand, scene)) } }),
    ...(parts.failures && { failures: { machine, ...(await failures(stand, scene, closers)) } }),
    ...(parts.frozenServer && { frozenServer: { machine, ...(await frozenServer(stand, scene)) } }),
    ...(parts.realOrder && { realOrder: { machine, ...(await realOrder(stand, scene)) } }),
    ...(parts.operator && { operator: { machine, ...(await operator(stand, scene)) } }),
    ...(parts.growth && { growth: { machine, ...(await growth(stand, options, closers)) } }),
  };
  const goals = goalsOf(results);
  if (goals.length > 0) console.log(`${goalTable(goals)}\n`);
  if (out === undefined) return;
  await writeResults(out, results, drawPicture);
  console.log(`results.json and picture.svg are in ${out}`);
}

async function throughput(stand: Stand, options: BenchOptions) {
  const { concurrencies, rounds, messages, profile, against } = options;
  if (profile !== undefined) await mkdir(profile, { recursive: true });
  const contenders = [
    ours(OURS),
    ...(against === undefined ? [] : [ours(OTHER, { root: against, queue: 'other_queue' })]),
    bullmq,
    bareLoop,
  ];
  const plan = { contenders, concurrencies, rounds, messages, profileFolder: profile, onSample: showProgress };
  const samples = await measureThroughput(stand, plan);
  const summaries = summarise(samples).sort((a, b) => a.concurrency - b.concurrency);
  const ratios = ratiosOf(samples, OURS);
  console.log(`\n${throughputTable(summaries)}\n\n${ratioTable(ratios)}\n`);
  const comparisons = against === undefined ? undefined : comparisonsOf(samples, OURS, OTHER);
  if (comparisons) console.log(`${comparisonTable(comparisons)}\n`);
  if (profile !== undefined) await showProfile(profile, samples);
  return { messages, summaries, ratios, ...(comparisons && { comparisons }), samples };
}

function showProgress({ round, concurrency, contender, messagesPerSecond }: Sample): void {
  console.log(
    `concurrency ${concurrency}, round ${round + 1}: ${contender} ${Math.round(messagesPerSecond)} messages/s`,
  );
}

async function showProfile(folder: string, samples: readonly Sample[]): Promise<void> {
  const pid = samples.find(({ contender }) => contender === OURS)?.pid;
  if (pid === undefined) return;
  console.log(`${profileTable(await topSelfTimes(folder, pid, TOP))}\n\nAll profiles are in ${folder}\n`);
}

async function latency(stand: Stand, { quick }: BenchOptions) {
  const plan = { concurrency: CONCURRENCY, idleMessages: quick ? 100 : 500, seconds: quick ? 2 : 10 };
  const loads = await measureLatency(stand, plan);
  console.log(`${latencyTable(loads)}\n`);
  return { concurrency: CONCURRENCY, loads };
}

async function growth(stand: Stand, { quick, install }: BenchOptions, closers: Closers) {
  const plan = {
    concurrency: CONCURRENCY,
    repeats: quick ? 1 : 3,
    backlogs: quick ? [1_000, 100_000] : [1_000, 100_000, 1_000_000],
    retrying: [0, quick ? 10_000 : 100_000],
    workers: quick ? [1, 2] : [1, 2, 4, 8],
    bytes: [160, 4_096, 262_144],
    install,
    onCurve: (curve: Curve) => console.log(`${curveTable(curve)}\n`),
  };
  return { concurrency: CONCURRENCY, curves: await measureGrowth(stand, plan, closers) };
}

process.exitCode = await main(process.argv.slice(2));
