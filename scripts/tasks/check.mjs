// `npm run check`: all that can be known without a build, a Redis or a browser, in under a minute. `npm test` begins with it.
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { checkNode, install, isInstalled, runNode } from './install.mjs';
import { conclude, step } from './report.mjs';
import { runSuite, UNIT_TESTS } from './suites.mjs';

/** What a former run has found stays true for the same content, so it need not be found again. */
const CACHE = 'node_modules/.cache/check';

/** Each runs as many programs as it has lines, one after the other. The longest come first: the lanes end together. */
const CHECKS = [
  node('lint', ['eslint/bin/eslint.js', '--max-warnings=0', '.']),
  { name: UNIT_TESTS.name, run: () => runSuite({ ...UNIT_TESTS, workers: 1 }) },
  types('types', 'tsconfig.json'),
  types('types, test/browser', 'test/browser'),
  types('types, page', 'supervisor/dashboard/page'),
  node('format', [
    'prettier/bin/prettier.cjs',
    '--check',
    '.',
    '--cache',
    '--cache-strategy=content',
    `--cache-location=${CACHE}/prettier`,
  ]),
  node('imports', [
    'dependency-cruiser/bin/dependency-cruise.mjs',
    ...['--config', '.dependency-cruiser.cjs', 'src', 'supervisor', 'scripts'],
  ]),
  node('unused', ['knip/bin/knip.js'], ['knip/bin/knip.js', '--production']),
];

/** Installs what is missing; false when that failed. */
export async function installMissing() {
  return step('install', async () => {
    checkNode();
    if (isInstalled()) return { text: 'nothing to do' };
    console.log('Installing the packages with npm ci …');
    await install();
    return undefined;
  });
}

/** One lane for each core: every check is a process of its own that keeps one busy. */
export async function runChecks() {
  const waiting = [...CHECKS];
  const lane = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) await step(check.name, check.run);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
}

function node(name, ...programs) {
  return {
    name,
    run: async () => {
      for (const [program, ...args] of programs) await runNode([`node_modules/${program}`, ...args]);
    },
  };
}

function types(name, project) {
  const file = `${CACHE}/${project.replaceAll('/', '-')}.tsbuildinfo`;
  return node(name, ['typescript/bin/tsc', '-p', project, '--incremental', '--tsBuildInfoFile', file]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (await installMissing()) await runChecks();
  conclude();
}
