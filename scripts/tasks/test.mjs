// `npm test`: installs and builds what is missing, then runs every check, one line each, and ends with the plain line
// `N passed, N failed`. Arguments go to vitest: `npm test -- test/unit -t retry`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { build } from './build.mjs';
import { checkNode, install, isInstalled, root, runNode, StepError } from './install.mjs';

/** In CI nothing may be skipped: what cannot run has failed. */
const inCi = /^(1|true)$/i.test(process.env.CI ?? '');
const vitestArgs = process.argv.slice(2);
const totals = { passed: 0, failed: 0 };

/** What measures a time or a share of the processor is named so, and nothing else may run beside it. */
const MEASURING = 'test/**/*.timed.test.ts';

/** A new folder under test/ belongs to the process tests; test/faults has a command of its own. */
const SUITES = [
  { name: 'unit tests', excluded: ['test/!(unit)/**', MEASURING], workers: 2, needsRedis: false },
  { name: 'integration tests', excluded: ['test/!(integration)/**', MEASURING], workers: 2, needsRedis: true },
  {
    name: 'process tests',
    excluded: ['test/{unit,integration,faults,browser}/**', MEASURING],
    workers: 2,
    needsRedis: true,
  },
  { name: 'browser tests', excluded: ['test/!(browser)/**', MEASURING], workers: 1, needsRedis: true },
  { name: 'measuring tests', excluded: ['test/**/!(*.timed).test.ts'], workers: 1, needsRedis: true },
];

async function main() {
  if (!(await step('install', installMissing)) || !(await step('build', () => build()))) return;
  await step('format', () => runNode(['node_modules/prettier/bin/prettier.cjs', '--check', '.']));
  await step('lint', () => runNode(['node_modules/eslint/bin/eslint.js', '--max-warnings=0', '.']));
  await step('types', () => runNode(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']));
  for (const folder of ['supervisor/dashboard/page', 'test/browser']) {
    await step(`types, ${basename(folder)}`, () => runNode(['node_modules/typescript/bin/tsc', '-p', folder]));
  }
  const cruise = ['--config', '.dependency-cruiser.cjs', 'src', 'supervisor', 'scripts'];
  await step('imports', () => runNode(['node_modules/dependency-cruiser/bin/dependency-cruise.mjs', ...cruise]));
  const hasRedis = await findRedis();
  for (const suite of SUITES) {
    if (hasRedis || !suite.needsRedis) await step(suite.name, () => runSuite(suite));
    else report(suite.name, inCi ? 'FAILED' : 'SKIPPED', 'there is no redis-server');
    if (!hasRedis && suite.needsRedis && inCi) totals.failed++;
  }
  if (totals.passed + totals.failed === 0) {
    console.log(`No test matches ${vitestArgs.join(' ')}`);
    totals.failed++;
  }
}

/** Runs one step and prints its line; what it throws is shown and counts as one failure. */
async function step(name, run) {
  const startedAt = performance.now();
  try {
    const remark = await run();
    report(name, 'ok', secondsSince(startedAt), typeof remark === 'object' ? remark.text : '');
    return true;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    report(name, 'FAILED', secondsSince(startedAt));
    console.log([error.output.trim(), error.message].filter(Boolean).join('\n'));
    totals.failed += error.failed ?? 1;
    return false;
  }
}

function report(name, ...columns) {
  console.log([name.padEnd(18), ...columns].join('  ').trimEnd());
}

function secondsSince(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`.padStart(7);
}

async function installMissing() {
  checkNode();
  if (isInstalled()) return { text: 'nothing to do' };
  console.log('Installing the packages with npm ci …');
  await install();
  return undefined;
}

/** A mirror that is out for a moment is asked once more. */
async function findRedis() {
  const { findRedis: find, ProgramMissingError } = await import('../../dist/scripts/local/find-redis.js');
  for (let attempt = 1; ; attempt++) {
    try {
      const { path } = await find({ announce: (text) => console.log(`${text} …`) });
      report('redis', 'ok', path);
      return true;
    } catch (error) {
      if (!(error instanceof ProgramMissingError)) throw error;
      console.log(error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message);
      if (attempt === 2 || error.cause === undefined) return false;
      await new Promise((resolve) => setTimeout(resolve, 5_000));
    }
  }
}

async function runSuite({ excluded, workers }) {
  const folder = mkdtempSync(join(tmpdir(), 'vitest-report-'));
  const file = join(folder, 'report.json');
  const exclusions = excluded.map((glob) => `--exclude=${glob}`);
  const options = ['--passWithNoTests', ...exclusions, `--maxWorkers=${workers}`];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...options, ...reporters, ...vitestArgs];
  try {
    const failure = await runNode(args).then(() => undefined, stepError);
    return count(readReport(file), failure);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function stepError(error) {
  if (error instanceof StepError) return error;
  throw error;
}

/** No report: vitest found no file, or ended before it wrote one. */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { testResults: [] };
  }
}

/** Adds a suite's tests to the totals. A file that could not be loaded has no test and counts as one that failed. */
function count({ testResults }, failure) {
  const tests = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map((test) => ({ ...test, file: name })),
  );
  const unloaded = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some(isFailed),
  );
  const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  const passed = tests.filter(({ status }) => status === 'passed').length;
  // `-t` and `.only` are the user's wish; skipped tests without them are not.
  const forbidden = inCi && vitestArgs.length === 0 ? skipped.length : 0;
  const failed = tests.filter(isFailed).length + unloaded.length + forbidden;
  totals.passed += passed;
  const lines = skipped.map(({ file, fullName }) => `SKIPPED ${relative(root, file)}: ${fullName}`);
  if (failure !== undefined || failed > 0) {
    const output = [failure?.output ?? '', ...lines].join('\n');
    throw Object.assign(new StepError(failure?.message ?? 'Nothing may be skipped when CI=true', output), {
      failed: Math.max(1, failed),
    });
  }
  const shownLines = vitestArgs.length === 0 ? lines : [];
  for (const line of shownLines) console.log(line);
  return { text: `${passed} passed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}` };
}

function isFailed({ status }) {
  return status === 'failed';
}

await main();
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 ? 1 : 0;
