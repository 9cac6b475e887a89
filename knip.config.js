/**
 * Unused files, exports and packages, in two runs. Without a flag everything counts as a user, the tests too: what nobody
 * imports needs no export. With --production only what runs at an operator's counts: what the tests alone keep alive is
 * dead. There an export may have its own file as the only user, since it is exported for its test.
 */
const ENTRIES = [
  'supervisor/cli.ts!',
  'src/main.ts!', // forked by the supervisor
  'supervisor/dashboard/page/page.ts!', // loaded by the browser
  'scripts/{quickstart,main-server,bench}/main.ts!',
  'scripts/bench/**/*-process.ts!', // forked by their paths
  'scripts/tasks/{bundle-page,copy-assets}.mjs', // run by the build; the other tasks stand in package.json
];

const TESTS = [
  'test/**/*.test.ts',
  'test/faults/run-row.ts',
  'test/faults/support/flooder.ts', // forked
  'test/integration/logger/logger-program.ts', // forked, as the fixtures are
  'test/integration/logger/owner-program.ts', // forked, as the fixtures are
  'test/process/fixtures/*.{ts,mjs}',
];

export default ({ production = false }) => ({
  entry: [...ENTRIES, ...TESTS],
  project: ['{src,supervisor,scripts}/**/*.ts!', 'scripts/tasks/**/*.mjs', 'test/**/*.{ts,mjs}'],
  ignoreExportsUsedInFile: production,
});
