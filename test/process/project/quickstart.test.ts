import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { isAlive } from '../../support/program/processes.js';
import { useProgram, type Program } from '../../support/program/program.js';
import { SLOW_HANGS_MS, waitFor } from '../../support/wait-for.js';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const startProgram = useProgram();
let current: Program | undefined;

/** Everything it sets would break the run if it reached the supervisor. */
const STRANGE_SETTINGS = { MAIN_SERVER_URL: 'https://nowhere.invalid', WORKER_COUNT: '99', WORKER_MAX_ATTEMPTS: 'x' };

function quickstart(...args: string[]): Program {
  const options = { script: 'dist/scripts/quickstart/main.js', args: ['--no-install', ...args], env: STRANGE_SETTINGS };
  return (current = startProgram(options));
}

// useProgram finds processes by their environment, which redis-server overwrites with its title.
afterEach(() => {
  for (const pid of current ? childrenOf(current) : []) process.kill(pid, 'SIGKILL');
});

/** Everything it started works in a folder whose name ends with its pid. */
function childrenOf({ pid: quickstartPid }: Program): number[] {
  const folder = new RegExp(`/\\.quickstart/\\d+T\\d+-${quickstartPid}(/| |$)`);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && folder.test(workingDirectory(name)))
    .map(Number)
    .filter(isAlive);
}

function workingDirectory(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return ''; // ended between our look at the folder and this one
  }
}

function output(program: Program): string {
  return program.lines.map((line) => line.text).join('\n');
}

/** The logs' folder, named at the end. */
function logsOf(program: Program): string {
  return /The logs are in (.+)$/m.exec(output(program))?.[1] ?? '';
}

async function supervisorPid(program: Program): Promise<number> {
  const line = await program.waitForLine(/\/status$/, SLOW_HANGS_MS);
  const answer = await fetch(line.trim().split(/\s+/).at(-1) ?? '');
  const { supervisor } = (await answer.json()) as { supervisor: { pid: number } };
  return supervisor.pid;
}

test('--exit delivers everything, first failures included, and accounts for it', async () => {
  const program = quickstart('--exit', '--messages', '200', '--workers', '2', '--fail-rate', '0.2');
  expect(await program.waitForExit(SLOW_HANGS_MS), output(program)).toEqual({ code: 0, signal: null });

  const text = output(program);
  expect(text).toContain('the main server answered 200 for each of the 200 ids');
  expect(text).toMatch(/delivered +200 of 200$/m);
  expect(text).toMatch(/duplicates +0$/m);
  const [, first = '0', attempts = '0'] = /failed at first (\d+) \((\d+) failed attempts/.exec(text) ?? [];
  // 200 at 0.2: 40 are expected, and fewer than 10 come once in a billion runs
  expect(Number(first)).toBeGreaterThanOrEqual(10);
  expect(Number(attempts)).toBeGreaterThanOrEqual(Number(first));
  expect(text).toMatch(/127\.0\.0\.1:\d+\/metrics \(worker-2\)$/m);

  expect([...program.descendants(), ...childrenOf(program)]).toEqual([]);
  const logs = logsOf(program);
  expect(logs.startsWith(join(REPOSITORY, '.quickstart'))).toBe(true);
  expect(existsSync(join(logs, 'worker.log'))).toBe(true);
  expect(readdirSync(dirname(logs))).toEqual(['logs']);
});

test('kill -9 leaves nothing running either', async () => {
  const program = quickstart('--messages', '20', '--workers', '2');
  await program.waitForLine(/It goes on until Ctrl-C/, SLOW_HANGS_MS);
  expect(childrenOf(program).length).toBeGreaterThanOrEqual(4); // Redis, the supervisor, two workers
  program.signal('SIGKILL');
  await program.waitForExit();
  await waitFor(() => childrenOf(program).length + program.descendants().length === 0, { what: 'all to be gone' });
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it and leaves nothing running', async (signal) => {
  const program = quickstart('--messages', '50', '--fail-rate', '0.1');
  await program.waitForLine(/redis-cli -p \d+ LPUSH message_queue/, SLOW_HANGS_MS);
  expect(childrenOf(program).length).toBeGreaterThanOrEqual(5); // Redis, supervisor, three workers

  program.signal(signal);
  expect(await program.waitForExit(), output(program)).toEqual({ code: 0, signal: null });
  expect([...program.descendants(), ...childrenOf(program)]).toEqual([]);
  expect(readdirSync(dirname(logsOf(program)))).toEqual(['logs']);
});

test('a signal in the midst of the start leaves nothing running either', async () => {
  const program = quickstart();
  await waitFor(() => childrenOf(program).length > 0, { what: 'the first child' });
  program.signal('SIGTERM');
  expect(await program.waitForExit(), output(program)).toEqual({ code: 0, signal: null });
  expect([...program.descendants(), ...childrenOf(program)]).toEqual([]);
});

test('when the supervisor dies it says so and leaves nothing running', async () => {
  const program = quickstart('--messages', '50');
  process.kill(await supervisorPid(program), 'SIGKILL');
  expect(await program.waitForExit()).toEqual({ code: 1, signal: null });
  expect(output(program)).toContain('The supervisor ended by itself (by SIGKILL). Its last lines:');
  expect(output(program)).toMatch(/ - INFO - \[supervisor\] - /);
  await waitFor(() => childrenOf(program).length === 0, { what: 'the workers to be gone' });
});

test.each([
  [['--messages', '0'], '--messages is "0"; it must be a whole number from 1 to 100000.'],
  [['--workers', 'many'], '--workers is "many"; it must be a whole number from 1 to 32.'],
  [['--fail-rate', '1'], '--fail-rate is "1"; it must be a number from 0 to 0.9.'],
  [['--mesages', '5'], "unknown option '--mesages' (Did you mean --messages?); see --help."],
])('%j is refused in one sentence', async (args, sentence) => {
  const program = quickstart(...args);
  expect(await program.waitForExit()).toEqual({ code: 2, signal: null });
  await waitFor(() => program.lines.length > 0, { what: 'the sentence' });
  expect(program.lines.map((line) => line.text)).toEqual([sentence]);
});

test('--like-original: a main server that knows a message late and freezes, which the workers find out in time', async () => {
  const program = quickstart('--exit', '--like-original', '--messages', '600', '--workers', '3', '--fail-rate', '0');
  expect(await program.waitForExit(SLOW_HANGS_MS), output(program)).toEqual({ code: 0, signal: null });
  const text = output(program);
  expect(text).toMatch(
    /as the real one: one delivery at a time, 6 ms each; frozen for 30 s by each beyond 30 in flight/,
  );
  expect(text).toMatch(/delivered +600 of 600$/m);
  expect(text).toMatch(/in flight +[1-9]\d* at once at most$/m);
  expect(text).toMatch(/limits +worker-1 \d+, worker-2 \d+, worker-3 \d+ in flight, as found out on the way$/m);
});
