import { expect, test } from 'vitest';

import { inheritedFlags, inheritedOptions } from '../../../../../supervisor/workers/process/inherited-flags.js';

const there = (): boolean => true;
const gone = (): boolean => false;

test.each([
  ['--env-file=../.env'],
  ['--env-file', '../.env'],
  ['--env-file-if-exists=.env'],
  ['--inspect=0.0.0.0:9229'],
  ['--inspect-port', '0'],
  ['--watch'],
  ['--watch-path', 'src'],
  ['-e', 'import("./start.js")'],
  ['--snapshot-blob', 'snap.blob'],
  ['--experimental-config-file', 'node.config.json'],
])('%s was for the start', (...flags) => {
  expect(inheritedFlags(['--max-old-space-size=200', ...flags, '--no-warnings'], there)).toEqual({
    flags: ['--max-old-space-size=200', '--no-warnings'],
    gone: [],
  });
});

test.each([
  ['--require=./a.cjs'],
  ['--require', './a.cjs'],
  ['-r', './a.cjs'],
  ['--import', './a.mjs'],
  ['--loader=./a.mjs'],
  ['--openssl-config=/etc/ssl/ours.cnf'],
  ['--icu-data-dir=/data'],
])('%s is passed on as long as it is there', (...flags) => {
  expect(inheritedFlags(flags, there)).toEqual({ flags, gone: [] });
  expect(inheritedFlags([...flags, '--no-warnings'], gone)).toEqual({
    flags: ['--no-warnings'],
    gone: [flags.join(' ')],
  });
});

test('packages and built-in modules are found as Node finds them', () => {
  expect(inheritedFlags(['--require=vitest/package.json', '--import=node:fs']).gone).toEqual([]);
  expect(inheritedFlags(['--require=there-is-no-such-package']).gone).toEqual(['--require=there-is-no-such-package']);
});

test('NODE_OPTIONS is read as Node reads it', () => {
  const options = '--max-old-space-size=200 --require "./with blank.cjs" --import="./a \\"b\\".mjs"';
  expect(inheritedOptions(options, there)).toBe(
    '--max-old-space-size=200 --require "./with blank.cjs" "--import=./a \\"b\\".mjs"',
  );
  expect(inheritedOptions(options, gone)).toBe('--max-old-space-size=200');
  expect(inheritedOptions('--inspect', there)).toBeUndefined();
});
