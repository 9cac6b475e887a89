// `npm run test:faults`: plays the fault matrix against the built program and prints one table. Arguments choose rows, see
// HELP. Ends with the line `N passed, N failed`.
import { rmSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build, isBuilt } from './build.mjs';
import { choose, playable } from './faults/choose.mjs';
import { playAll } from './faults/play.mjs';
import { printTable } from './faults/print.mjs';
import { transpile } from './faults/transpile.mjs';
import { checkNode, install, isInstalled, StepError } from './install.mjs';
import { reportFailures } from './report.mjs';

const HELP = `Usage: npm run test:faults -- [rows...] [--full] [--minutes N]

Plays the fault matrix against the built program and prints one table (test/faults/README.md).

  rows         only these: 6b is one row, 17 is 17a, 17b, ... too; soak is the long run. Default: all but the long run
  --full       with the whole figures where a row has such: 50 MB in place of 3, 64 workers in place of 8. Some take an hour
  --minutes N  length of the soak. Default: 10
  --help       this text

Example: npm run test:faults -- --full 38`;

const { values, positionals: wanted } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
    minutes: { type: 'string', default: '10' },
  },
  allowPositionals: true,
});

async function main() {
  if (values.help) return console.log(HELP);
  checkNode();
  if (!isInstalled()) await install();
  if (!isBuilt()) await build();
  const folder = await transpile();
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  // the rows get Ctrl-C, too, or see us gone, and end what they started
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  const load = (path) => import(pathToFileURL(join(folder, path)).href);
  const { ROWS: rows, LONG_ROWS: longRows } = await load('test/faults/rows.js');
  const { findRedis, ProgramMissingError } = await load('scripts/local/find-redis.js');
  const { findProgram } = await load('scripts/local/find-program.js');
  const { atFullSize } = await load('test/faults/support/row.js');
  const { full, minutes } = values;
  const chosen = choose({ rows, longRows }, wanted).map((row) => (full ? atFullSize(row) : row));
  const played = await playable(chosen, { findProgram, findRedis, ProgramMissingError });
  const startedAt = performance.now();
  const results = await playAll(played, { folder, full, minutes: Number(minutes) });
  printTable(results);
  // bounds are promised on two cores of our own: a failure on a busy machine is judged by this line first
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  console.log(`${seconds} s, load average ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores`);
  const failed = results.filter(({ problems }) => problems.length > 0);
  reportFailures(failed.map(({ id, problems }) => `row ${id}: ${problems[0]}`));
  console.log(`${results.length - failed.length} passed, ${failed.length} failed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

await main().catch((error) => {
  if (!(error instanceof StepError)) throw error;
  console.error([error.output, error.message].filter(Boolean).join('\n'));
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
});
