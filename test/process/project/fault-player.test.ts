/** Whatever a row of the fault matrix does, the others are played and the table is printed. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { useProgram } from '../../support/program/program.js';

interface Limits {
  readonly rowMs?: number;
  readonly closeMs?: number;
}

/** Stands for run-row.js: each row does what its name says. */
const RUN_ROW = `
import { spawn } from 'node:child_process';
const id = process.argv[2];
const result = { id, fault: 'a fault', bound: 'a bound', problems: [], tail: [] };
const forEver = 'setInterval(() => {}, 1_000)';
const acts = {
  passes: () => process.send(result, undefined, undefined, () => process.exit(0)),
  'ends itself': () => (console.log('broken'), process.exit(3)),
  'closes when told': () => (process.connected ? process.once('disconnect', () => process.exit(1)) : process.exit(1)),
  'is deaf': () => setInterval(() => {}, 1_000),
  'leaves one that holds its pipes': () =>
    (spawn(process.execPath, ['-e', forEver], { stdio: 'inherit', detached: true }).unref(), acts.passes()),
};
acts[id]();
`;

const start = useProgram();
const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** The lines of the table, in the words that decide. */
async function play(limits: Limits, ...ids: string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'rows-'));
  folders.push(folder);
  mkdirSync(join(folder, 'test/faults'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'test/faults/run-row.js'), RUN_ROW);
  const args = [folder, JSON.stringify(limits), ...ids];
  const program = start({ script: 'test/process/fixtures/play-rows.mjs', args });
  expect(await program.waitForExit()).toEqual({ code: 0, signal: null });
  const said = program.lines.map(({ text }) => text);
  const table = said.slice(said.lastIndexOf('') + 2).map((line) => line.replace(/ {2,}.* {2,}/, ': '));
  return [
    ...said.filter((line) => / (\(SIGKILL\)|\(exit code \d+\)): /.test(line)).map((line) => line.trim()),
    ...table,
  ];
}

test('one that ends without a result has failed, the next is played', async () => {
  expect(await play({}, 'ends itself', 'passes')).toEqual([
    'it ended without a result (exit code 3): broken',
    'ends itself: FAILED',
    'passes: passed',
  ]);
});

test('one past its limit that closes when it is told to has failed', async () => {
  expect(await play({ rowMs: 1 }, 'closes when told')).toEqual([
    'it took longer than 0.001 s (exit code 1):',
    'closes when told: FAILED',
  ]);
});

test('one past its limit that does not is killed, and has failed', async () => {
  expect(await play({ rowMs: 1, closeMs: 1 }, 'is deaf')).toEqual([
    'it took longer than 0.001 s (SIGKILL):',
    'is deaf: FAILED',
  ]);
});

test('one that leaves a process with its pipes has passed', async () => {
  expect(await play({}, 'leaves one that holds its pipes')).toEqual(['leaves one that holds its pipes: passed']);
});
