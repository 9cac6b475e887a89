// The suites of tests, each of which is one run of vitest. Every *.test.ts belongs to exactly one of them.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { root, runNode, StepError } from './install.mjs';
import { totals } from './report.mjs';

/** In CI nothing may be skipped: what cannot run has failed. */
export const inCi = /^(1|true)$/i.test(process.env.CI ?? '');

/** Arguments of the command line go to vitest: `npm test -- test/unit -t retry`. */
export const vitestArgs = process.argv.slice(2);
const BY_DEFAULT = { args: vitestArgs };

/** What measures a time or a share of the processor is named so, and nothing else may run beside it. */
const MEASURING = 'test/**/*.timed.test.ts';

export const UNIT_TESTS = { name: 'unit tests', excluded: ['test/!(unit)/**', MEASURING], workers: 2 };

/** They run the built program or a Redis. A new folder under test/ belongs to the process tests; test/faults has a command of its own. */
export const SUITES = [
  { name: 'integration tests', excluded: ['test/!(integration)/**', MEASURING], workers: 2 },
  { name: 'process tests', excluded: ['test/{unit,integration,faults,browser}/**', MEASURING], workers: 2 },
  { name: 'browser tests', excluded: ['test/!(browser)/**', MEASURING], workers: 1 },
  { name: 'measuring tests', excluded: ['test/**/!(*.timed).test.ts'], workers: 1 },
];

/**
 * Resolves to a remark for the suite's line; rejects with a StepError. `args` go to vitest, which runs in the Node at the path
 * `node` (default: ours) with the environment `env` (likewise).
 */
export async function runSuite({ excluded, workers }, { args = [], ...how } = BY_DEFAULT) {
  const folder = mkdtempSync(join(tmpdir(), 'vitest-report-'));
  const file = join(folder, 'report.json');
  const exclusions = excluded.map((glob) => `--exclude=${glob}`);
  const options = ['--passWithNoTests', ...exclusions, `--maxWorkers=${workers}`];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const command = ['node_modules/vitest/vitest.mjs', 'run', ...options, ...reporters, ...args];
  try {
    const failure = await runNode(command, how).then(() => undefined, stepError);
    return count(readReport(file), failure, args.length > 0);
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

/** Adds a suite's tests to the totals; `isChoice`: the user has chosen some. A file that could not be loaded has no test and counts as one that failed. */
function count({ testResults }, failure, isChoice) {
  const tests = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map((test) => ({ ...test, file: name })),
  );
  const unloaded = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some(isFailed),
  );
  const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  const passed = tests.filter(({ status }) => status === 'passed').length;
  // `-t` and `.only` are the user's wish; skipped tests without them are not.
  const forbidden = inCi && !isChoice ? skipped.length : 0;
  const failed = tests.filter(isFailed).length + unloaded.length + forbidden;
  totals.passed += passed;
  const lines = skipped.map(({ file, fullName }) => `SKIPPED ${relative(root, file)}: ${fullName}`);
  if (failure !== undefined || failed > 0) {
    const output = [failure?.output ?? '', ...lines].join('\n');
    throw Object.assign(new StepError(failure?.message ?? 'Nothing may be skipped when CI=true', output), {
      failed: Math.max(1, failed),
      ...(failed > 0 ? { failures: [...tests.filter(isFailed), ...unloaded].map(failureOf).concat(lines) } : {}),
    });
  }
  const shownLines = isChoice ? [] : lines;
  for (const line of shownLines) console.log(line);
  return { text: `${passed} passed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}` };
}

/** Of a test or of a file that could not be loaded: `file: test: first line of what went wrong`. */
function failureOf({ file, name, fullName, failureMessages, message }) {
  const [firstLine] = (failureMessages?.[0] ?? message ?? '').split('\n');
  return [relative(root, file ?? name), fullName, firstLine].filter(Boolean).join(': ');
}

function isFailed({ status }) {
  return status === 'failed';
}
