/** Two supervisors that keep one log folder, each as if it were alone. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { localDate } from '../../../src/shared/logger/line-format.js';
import { transpiled, type Transpiled } from './transpiled.js';

const MOST = 131_072;
const LASTS_MS = 8_000;
let programs: Transpiled;
let folder: string;
const children: ChildProcess[] = [];

beforeAll(() => {
  programs = transpiled(['src/shared', 'src/domain', 'test/integration/logger', 'test/support/program']);
});
afterAll(() => {
  programs.remove();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'owners-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function startOwner(name: string): { readonly ended: Promise<unknown[]>; readonly stderr: () => string } {
  const script = programs.script('test/integration/logger/owner-program.ts');
  const args = [folder, name, String(MOST), String(LASTS_MS)];
  const child = fork(script, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  children.push(child);
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { ended: once(child, 'exit'), stderr: () => text };
}

/** Numbers of the lines of each, as the two files have them, the older half first. */
function linesIn(paths: readonly string[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const path of paths) {
    for (const [, name = '', line] of readFileSync(path, 'utf8').matchAll(/- \[(supervisor-\d)\] - line (\d+) /g)) {
      found.set(name, [...(found.get(name) ?? []), Number(line)]);
    }
  }
  return found;
}

test('the older half is set aside once, and no newer file takes its place before it is large', async () => {
  const file = join(folder, `worker-${localDate(Date.now())}.log`);
  const aside = file.replace(/\.log$/, '.1.log');
  const owners = ['supervisor-1', 'supervisor-2'].map(startOwner);
  let over = false;
  const ended = Promise.all(owners.map((owner) => owner.ended)).finally(() => (over = true));
  const halves = new Map<number, number>();
  while (!over) {
    const found = statSync(aside, { throwIfNoEntry: false });
    // the first look at each: a process that has it open still may write to it
    if (found && !halves.has(found.ino)) halves.set(found.ino, found.size);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await ended).toEqual([
    [0, null],
    [0, null],
  ]);
  expect(halves.size).toBeGreaterThan(1);
  expect([...halves.values()].filter((bytes) => bytes < MOST / 2)).toEqual([]);
  for (const [, lines] of linesIn([aside, file])) {
    const from = Math.min(...lines);
    expect([...lines].sort((one, other) => one - other)).toEqual(lines.map((_, at) => from + at));
  }
  expect(readdirSync(folder).filter((name) => name.startsWith('worker-'))).toHaveLength(2);
  expect(owners.map(({ stderr }) => stderr())).toEqual(['', '']);
});
