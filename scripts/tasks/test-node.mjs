// `npm run test:node -- 26`: the unit, integration and process tests under another Node. What this Node installs and builds
// serves them all. Ends with the line `N passed, N failed`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { build } from './build.mjs';
import { installMissing } from './check.mjs';
import { npm, root, StepError } from './install.mjs';
import { conclude, report, step } from './report.mjs';
import { runSuite, SUITES, UNIT_TESTS } from './suites.mjs';

const HELP = `Usage: npm run test:node -- VERSION [arguments for vitest]

Runs the unit, integration and process tests under another version of Node, such as 22, 24 or 26.10.0. The newest that
fits is had as an npm package, once, and kept under node_modules/.cache/node.

Example: npm run test:node -- 26 test/process/supervisor/debugger.test.ts`;

const UNDER_ANOTHER_NODE = [UNIT_TESTS, ...SUITES.filter(({ name }) => /^(integration|process)/.test(name))];

async function main(version, args) {
  if (!/^\d+(\.\d+){0,2}$/.test(version ?? '')) {
    console.log(HELP);
    process.exitCode = ['--help', '-h'].includes(version) ? 0 : 2;
    return;
  }
  if ((await installMissing()) && (await step('build', () => build()))) await runUnder(version, args);
  conclude();
}

async function runUnder(version, args) {
  let node;
  if (!(await step(`node ${version}`, async () => void (node = await fetchNode(version))))) return;
  report('node', 'ok', node);
  // what runs `node` by its name gets the same one
  const env = { ...process.env, PATH: [dirname(node), process.env.PATH].join(delimiter) };
  for (const suite of UNDER_ANOTHER_NODE) await step(suite.name, () => runSuite(suite, { args, node, env }));
}

/**
 * Resolves to the path of the binary. The package `node` would fetch it by an install script; those of the platforms, which
 * it chooses from, hold it.
 */
async function fetchNode(version) {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = join(root, 'node_modules', '.cache', 'node', version);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  await npm([
    'install',
    '--prefix',
    folder,
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    `${name}@${version}`,
  ]);
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  return join(folder, 'node_modules', name, 'bin', binary);
}

await main(process.argv[2], process.argv.slice(3)).catch((error) => {
  if (!(error instanceof StepError)) throw error;
  console.error([error.output, error.message].filter(Boolean).join('\n'));
  process.exitCode = 1;
});
