// What `npm run check` and `npm test` print: a line for each step as it ends, and last the plain line `N passed, N failed`.
import { StepError } from './install.mjs';

/** Tests; a step that fails and is no suite of tests counts as one. `failures`: a line each, for the end of the run. */
export const totals = { passed: 0, failed: 0, failures: [] };

/** Runs one step and prints its line; what it throws is shown and counts as one failure. False when it failed. */
export async function step(name, run) {
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
    totals.failures.push(...(error.failures ?? [`${name}: ${error.message}`]));
    return false;
  }
}

export function report(name, ...columns) {
  console.log([name.padEnd(18), ...columns].join('  ').trimEnd());
}

/** What failed, once more and shortly, since pages of output may lie above; the last line; and the exit code. */
export function conclude() {
  reportFailures(totals.failures);
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  process.exitCode = totals.failed > 0 ? 1 : 0;
}

/** `.ci/run` looks for the first of these lines. */
export function reportFailures(failures) {
  if (failures.length === 0) return;
  console.log('Failed:');
  for (const failure of failures) console.log(`  ${failure}`);
}

function secondsSince(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`.padStart(7);
}
