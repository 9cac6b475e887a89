// `npm run test:faults`: plays the fault matrix against the built program and prints one table. Arguments choose rows:
// `npm run test:faults -- 17 6b` (17 means 17a, 17b, ... too), `soak --minutes 10` the long run. Ends with the line `N passed, N failed`.
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build, isBuilt } from './build.mjs';
import { checkNode, install, isInstalled, root, StepError } from './install.mjs';

/** In CI nothing may be left out: what cannot be played has failed. */
const inCi = /^(1|true)$/i.test(process.env.CI ?? '');
/** Most rows wait more than they work, so two share the two cores; those with a tight clock run alone, first. */
const LANES = 2;
const ROW_LIMIT_MS = 180_000;
/** A row past its limit gets this long to end what it has started. */
const CLOSE_LIMIT_MS = 15_000;
/** Of one row: where a promise is broken for one message, it mostly is for many. */
const MOST_PROBLEMS = 10;
const SOURCES = ['src', 'supervisor', 'scripts', 'test/support', 'test/faults'];
const COLUMNS = ['row', 'fault', 'produced', 'delivered', 'lost', 'dup', 'recovery', 'bound', 'verdict'];
const NUMBERS = new Set(['produced', 'delivered', 'lost', 'dup', 'recovery']);

const { values, positionals: wanted } = parseArgs({
  options: { minutes: { type: 'string', default: '10' } },
  allowPositionals: true,
});
/** Of the soak, which takes that much longer. */
const minutes = Number(values.minutes);

async function main() {
  checkNode();
  if (!isInstalled()) await install();
  if (!isBuilt()) await build();
  const folder = await transpile();
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  // the rows get Ctrl-C, too, or see us gone, and end what they started
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  const { ROWS, LONG_ROWS } = await import(pathToFileURL(join(folder, 'test/faults/rows.js')).href);
  const chosen = [...ROWS.filter(({ id }) => isChosen(id)), ...LONG_ROWS.filter(({ id }) => wanted.includes(id))];
  if (chosen.length === 0) throw new StepError(`There is no row ${wanted.join(' ')}`, '');
  const rows = await playable(chosen, folder);
  const startedAt = performance.now();
  const results = new Map();
  const playNext = async (queue) => {
    for (let row = queue.shift(); row; row = queue.shift()) results.set(row.id, await play(row, folder));
  };
  await playNext(rows.filter(({ alone }) => alone));
  const together = rows.filter(({ alone }) => !alone);
  await Promise.all(Array.from({ length: LANES }, () => playNext(together)));
  show(rows.map(({ id }) => results.get(id)));
  // bounds are promised on two cores of our own: a failure on a busy machine is judged by this line first
  const load = loadavg()[0]?.toFixed(1);
  console.log(
    `${((performance.now() - startedAt) / 1_000).toFixed(0)} s, load average ${load} on ${cpus().length} cores`,
  );
  const failed = [...results.values()].filter(({ problems }) => problems.length > 0).length;
  console.log(`${results.size - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

function isChosen(id) {
  return wanted.length === 0 || wanted.includes(id) || wanted.includes(id.replace(/[a-z]+$/, ''));
}

/**
 * Gets what the rows need beyond Node before the first is played. Rows whose program cannot be had are left out, visibly;
 * without Redis, and in CI, that is an error.
 */
async function playable(rows, folder) {
  const { findProgram, findRedis, ProgramMissingError } = await import(
    pathToFileURL(join(folder, 'scripts/local/find-redis.js')).href
  );
  const announce = (text) => console.log(`${text} …`);
  const isMissing = (error) => error instanceof ProgramMissingError;
  const problem = await problemOf(() => findRedis({ announce }), isMissing);
  if (problem) throw new StepError(problem, '');
  const missing = [];
  for (const program of new Set(rows.flatMap(({ needs = [] }) => needs))) {
    const text = await problemOf(() => findProgram(program, { announce }), isMissing);
    if (text && inCi) throw new StepError(text, '');
    if (text) console.log(`Left out: ${text}`);
    if (text) missing.push(program);
  }
  const isLeftOut = ({ needs = [] }) => needs.some((program) => missing.includes(program));
  for (const { id, fault } of rows.filter(isLeftOut)) console.log(`${id.padEnd(4)} SKIPPED  ${fault}`);
  return rows.filter((row) => !isLeftOut(row));
}

/** Why the program cannot be had; undefined when it is there. A mirror that is out for a moment is asked once more. */
async function problemOf(find, isMissing) {
  for (let attempt = 1; ; attempt++) {
    try {
      await find();
      return undefined;
    } catch (error) {
      if (!isMissing(error)) throw error;
      if (error.cause === undefined) return error.message;
      if (attempt === 2) return `${error.message} (${error.cause.message})`;
      await new Promise((resolve) => setTimeout(resolve, 5_000));
    }
  }
}

/** JavaScript of the matrix and what it uses, inside the project so that packages are found. */
async function transpile() {
  const { default: ts } = await import('typescript');
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'faults-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'dist'), join(folder, 'dist'), 'junction');
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };
  for (const source of SOURCES) {
    for (const name of readdirSync(join(root, source), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(ts|lua)$/.test(name)) continue;
      const text = readFileSync(join(root, source, name), 'utf8');
      const target = join(folder, source, name.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, name.endsWith('.ts') ? ts.transpileModule(text, { compilerOptions }).outputText : text);
    }
  }
  return folder;
}

/** One row in a process of its own; resolves to its result, whatever happens. */
async function play(row, folder) {
  const startedAt = performance.now();
  const child = fork(join(folder, 'test/faults/run-row.js'), [row.id, '--minutes', String(minutes)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  let result;
  child.on('message', (message) => (result = message));
  const limitMs = ROW_LIMIT_MS + (row.id === 'soak' ? minutes * 60_000 : 0);
  // it takes the closed channel for our death and ends what it has started
  const timers = [
    setTimeout(() => child.connected && child.disconnect(), limitMs),
    setTimeout(() => child.kill('SIGKILL'), limitMs + CLOSE_LIMIT_MS),
  ];
  const end = await new Promise((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`)),
  );
  for (const timer of timers) clearTimeout(timer);
  const tookMs = performance.now() - startedAt;
  const problem = tookMs > limitMs ? `it took longer than ${limitMs / 1_000} s` : 'it ended without a result';
  result ??= { ...row, problems: [`${problem} (${end}): ${output.slice(-2_000)}`], tail: [] };
  const seconds = (tookMs / 1_000).toFixed(1);
  console.log(`${row.id.padEnd(4)} ${result.problems.length === 0 ? 'ok' : 'FAILED'} ${seconds} s  ${row.fault}`);
  for (const problem of result.problems.slice(0, MOST_PROBLEMS)) console.log(`       ${problem}`);
  if (result.problems.length > MOST_PROBLEMS) console.log(`       and ${result.problems.length - MOST_PROBLEMS} more`);
  for (const line of result.tail) console.log(`       | ${line}`);
  return result;
}

function show(results) {
  const table = [COLUMNS, ...results.map(cells)];
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((line) => line[column].length)));
  console.log('');
  for (const line of table) {
    const padded = line.map((cell, column) =>
      NUMBERS.has(COLUMNS[column]) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
    );
    console.log(padded.join('  ').trimEnd());
  }
}

function cells({ id, fault, bound, produced, delivered, lost, duplicates, recoveryMs, note, problems }) {
  const time = typeof recoveryMs === 'number' ? `${(recoveryMs / 1_000).toFixed(2)} s` : '-';
  const numbers = [produced, delivered, lost, duplicates].map((number) => String(number ?? '-'));
  const verdict = problems.length === 0 ? 'passed' : 'FAILED';
  return [id, fault, ...numbers, time, bound, note ? `${verdict} (${note})` : verdict];
}

await main().catch((error) => {
  if (!(error instanceof StepError)) throw error;
  console.error([error.output, error.message].filter(Boolean).join('\n'));
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
});
