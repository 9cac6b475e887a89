import { execFileSync, fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { localDate } from '../../../src/shared/logger/line-format.js';
import { transpiled, type Transpiled } from './transpiled.js';
import { waitFor } from '../../support/wait-for.js';

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
  folder = mkdtempSync(join(tmpdir(), 'logger-processes-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const LINE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - worker - INFO - \[(worker-\d)\] - line (\d+) x*$/;

async function startProgram(name: string): Promise<ChildProcess> {
  const script = programs.script('test/integration/logger/logger-program.ts');
  return ready(fork(script, [folder, name], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }));
}

async function ready(child: ChildProcess): Promise<ChildProcess> {
  children.push(child);
  const died = once(child, 'exit').then(([code]) => expect.fail(`it ended as it started, with ${code}`));
  await Promise.race([once(child, 'message'), died]);
  died.catch(() => undefined);
  return child;
}

function stderrOf(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}

/** The numbers of each process's lines, in the order of the file; a line of another shape fails. */
function linesByProcess(): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const line of readFileSync(join(folder, 'worker.log'), 'utf8').trimEnd().split('\n')) {
    const [, name = '', number] = LINE.exec(line) ?? expect.fail(`a torn line: ${line}`);
    const numbers = found.get(name) ?? [];
    numbers.push(Number(number));
    found.set(name, numbers);
  }
  return found;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test('20,000 lines, close, process.exit: 20,000 lines on disk', async () => {
  const child = await startProgram('worker-1');
  child.send({ lines: 20_000, close: true });
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(linesByProcess()).toEqual(new Map([['worker-1', upTo(20_000)]]));
});

test('4 processes write one file at once: no line torn or lost, each in its order', async () => {
  const names = ['worker-1', 'worker-2', 'worker-3', 'worker-4'];
  const started = await Promise.all(names.map((name) => startProgram(name)));
  const exits = started.map((child) => once(child, 'exit'));
  for (const child of started) child.send({ lines: 5_000, close: true });
  expect(await Promise.all(exits)).toEqual(names.map(() => [0, null]));
  const found = linesByProcess();
  expect([...found.keys()].sort()).toEqual(names);
  for (const name of names) expect(found.get(name)).toEqual(upTo(5_000));
});

test.each([
  ['before the file is open', 0],
  ['while it is written', 50],
])('a crash in a burst, %s: nothing is lost, the last words come last', async (_when, linesBefore) => {
  const child = await startProgram('worker-1');
  const stderr = stderrOf(child);
  if (linesBefore > 0) {
    child.send({ lines: linesBefore });
    await waitFor(() => existsSync(join(folder, 'worker.log')), { what: 'the file' });
  }
  child.send({ crash: 3_000 });
  expect(await once(child, 'close')).toEqual([1, null]);
  const lastWords = / - ERROR - \[worker-1\] - Error: last words\\n {4}at here$/;
  expect(stderr().trimEnd().split('\n').at(-1)).toMatch(lastWords);
  const lines = readFileSync(join(folder, `worker-${localDate(Date.now())}.log`), 'utf8')
    .trimEnd()
    .split('\n');
  expect(lines.filter((line) => !LINE.test(line))).toEqual([expect.stringMatching(lastWords)]);
  expect(lines).toHaveLength(linesBefore + 3_001);
});

test('the reader of stdout goes away (EPIPE): the process goes on, the file is complete', async () => {
  const script = programs.script('test/integration/logger/logger-program.ts');
  const child = await ready(fork(script, [folder, 'worker-1'], { stdio: ['ignore', 'pipe', 'ignore', 'ipc'] }));
  child.stdout?.destroy();
  child.send({ lines: 1_000, close: true });
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(linesByProcess()).toEqual(new Map([['worker-1', upTo(1_000)]]));
});

test('a disk that takes a part of a batch: the cut line is written again, nothing is lost', async () => {
  // The soft limit on file sizes makes write(2) partial, then EFBIG; it can be lifted from outside.
  const limited = `trap '' XFSZ; ulimit -S -f 100; exec "$0" "$@"`;
  const script = programs.script('test/integration/logger/logger-program.ts');
  const child = await ready(
    spawn('sh', ['-c', limited, process.execPath, script, folder, 'worker-1'], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    }),
  );
  const stderr = stderrOf(child);
  child.send({ lines: 1_000 });
  await waitFor(() => stderr().includes('EFBIG'), { what: 'the complaint' });
  appendFileSync(join(folder, 'worker.log'), 'a line of another process, glued to the fragment\n');
  execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:unlimited']);
  child.send({ close: true });
  expect(await once(child, 'exit')).toEqual([0, null]);

  const lines = readFileSync(join(folder, 'worker.log'), 'utf8').trimEnd().split('\n');
  const whole = lines.flatMap((line) => LINE.exec(line)?.[2] ?? []);
  expect([...new Set(whole.map(Number))]).toEqual(upTo(1_000));
  expect(lines.length).toBeLessThanOrEqual(1_003); // the glued line, an empty one, and the one about the outage
});
