// `npm test`: installs and builds what is missing, then runs every check and every suite, one line each, and ends with the
// plain line `N passed, N failed`. Arguments go to vitest: `npm test -- test/unit -t retry`.
import { build } from './build.mjs';
import { installMissing, runChecks } from './check.mjs';
import { conclude, report, step, totals } from './report.mjs';
import { inCi, runSuite, SUITES, vitestArgs } from './suites.mjs';

async function main() {
  if (!(await installMissing()) || !(await step('build', () => build()))) return;
  await runChecks();
  if (await findRedis()) for (const suite of SUITES) await step(suite.name, () => runSuite(suite));
  else for (const { name } of SUITES) leaveOut(name);
  if (totals.passed + totals.failed === 0) {
    console.log(`No test matches ${vitestArgs.join(' ')}`);
    totals.failed++;
  }
}

function leaveOut(name) {
  report(name, inCi ? 'FAILED' : 'SKIPPED', 'there is no redis-server');
  if (inCi) totals.failed++;
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

await main();
conclude();
