import { join } from 'node:path';

import { expect, test } from 'vitest';

import { packageVersion } from '../../../src/shared/config/package-root.js';
import { runProgram } from '../../../supervisor/program.js';
import { workspace } from '../src/shared/config/workspace.js';

interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

async function run(argv: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = workspace()): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const print = (line: string): void => void out.push(line);
  const printError = (line: string): void => void err.push(line);
  const exitCode = await runProgram(argv, { env, cwd, print, printError });
  return { exitCode, out: out.join('\n'), err: err.join('\n') };
}

test('--version and --help end with 0', async () => {
  expect(await run(['--version'])).toEqual({ exitCode: 0, out: packageVersion(), err: '' });
  const help = await run(['--help']);
  expect(help).toMatchObject({ exitCode: 0, err: '' });
  expect(help.out).toMatch(/Examples:[\s\S]*Exit codes:[\s\S]*78/);
});

/** Words of every command that does something, as the help pages list them. */
async function commands(...group: string[]): Promise<string[][]> {
  const { out } = await run([...group, '--help']);
  if (!out.includes('Commands:')) return [group];
  const list = out.slice(out.indexOf('Commands:')).split(/\n\n/)[0] ?? '';
  const names = [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name ?? '').filter((name) => name !== 'help');
  const below = names.map((name) => commands(...group, name));
  return (await Promise.all(below)).flat();
}

test('the help of every command has its exit codes, those of wrong usage and of a bad configuration among them', async () => {
  const all = await commands();
  expect(all.map((words) => words.join(' '))).toEqual(expect.arrayContaining(['start', 'dead list', 'dead purge']));
  for (const words of all) {
    const { out } = await run([...words, '--help']);
    const codes = [...out.slice(out.indexOf('Exit codes:')).matchAll(/^ {2}(\d+) +\w/gm)].map(([, code]) =>
      Number(code),
    );
    const readsConfig = out.includes('--config <file>') || out.includes('--socket <path>');
    expect(codes, words.join(' ')).toEqual(expect.arrayContaining(readsConfig ? [0, 1, 2, 78] : [0, 2]));
    expect(codes.includes(3), words.join(' ')).toBe(out.includes('--socket <path>'));
  }
});

test('the help of every command fits 80 columns, and has examples of what it takes', async () => {
  for (const words of [[], ['message'], ['dead'], ...(await commands())]) {
    const { out } = await run([...words, '--help']);
    const examples = out.split('\n').filter((line) => line.startsWith('  $ '));
    expect(examples, words.join(' ')).not.toEqual([]);
    const wide = out.split('\n').filter((line) => line.length > 80 && !line.startsWith('  $ '));
    expect(wide, words.join(' ')).toEqual([]);
    for (const example of examples) {
      const [, typed = ''] = /message-broker-worker ([^|&>]*)/.exec(example) ?? [];
      const named = typed.split(' ').filter((word) => /^[a-z]+$/.test(word));
      const help = await run([...named.slice(0, ['message', 'dead'].includes(named[0] ?? '') ? 2 : 1), '--help']);
      for (const [flag] of typed.matchAll(/(?<= )--[a-z-]+/g)) expect(help.out, example).toContain(`${flag} `);
    }
  }
});

test.each([[['--bogus']], [['bogus']], [['start', '--bogus', '1']], [['worker', '--num-workers', '2']], [[]]])(
  'wrong usage %j ends with 2',
  async (argv) => {
    const { exitCode, err } = await run(argv);
    expect(exitCode).toBe(2);
    expect(err).not.toBe('');
  },
);

test.each([
  [
    'start',
    [
      'num-workers',
      'concurrency',
      'retry-interval',
      'max-attempts',
      'base-metrics-port',
      'log-level',
      'worker-id',
      'config',
    ],
  ],
  ['worker', ['worker-id', 'metrics-port', 'concurrency', 'retry-interval', 'max-attempts', 'log-level', 'config']],
])('%s has the flags of the launcher it replaces', async (command, flags) => {
  const { out, exitCode } = await run([command, '--help']);
  expect(exitCode).toBe(0);
  for (const flag of flags) expect(out).toContain(`--${flag} <`);
});

test.each(['start', 'worker'])(
  '%s prints each problem of the configuration as a line and ends with 78',
  async (command) => {
    const { exitCode, err } = await run([command, '--concurrency', '12abc'], { REDIS_DB: 'x' });
    expect(exitCode).toBe(78);
    expect(err.split('\n').sort()).toEqual([
      'ERROR: --concurrency is "12abc"; it must be a whole number from 1 to 10000.',
      'ERROR: REDIS_DB (environment) is "x"; it must be a whole number from 0 to 65535.',
    ]);
  },
);

test('--config names the file, whichever directory it lies in', async () => {
  const cwd = workspace({ 'other/worker.yaml': 'redis: {port: x}' });
  const { exitCode, err } = await run(['start', '--config', join('other', 'worker.yaml')], {}, cwd);
  expect(exitCode).toBe(78);
  expect(err).toMatch(/^ERROR: redis\.port \(other\/worker\.yaml, line 1\) is "x"/);
});
