/** The programs of scripts/ as they are started by hand. */
import { expect, test } from 'vitest';
import { useProgram, type Program } from '../../support/program/program.js';
import { waitFor } from '../../support/wait-for.js';

const start = useProgram();

async function linesOf(program: Program, count: number): Promise<string[]> {
  await waitFor(() => program.lines.length >= count, { what: `${count} lines` });
  return program.lines.map(({ text }) => text);
}

test.each([
  [[], 'No room is given; there is one in scripts/bench, scripts/main-server, scripts/quickstart.'],
  [
    ['launchers'],
    'There is no program in scripts/launchers; there is one in scripts/bench, scripts/main-server, scripts/quickstart.',
  ],
])('run.mjs %j names the rooms that have a program', async (args, sentence) => {
  const program = start({ script: 'scripts/tasks/run.mjs', args });
  expect(await program.waitForExit()).toEqual({ code: 1, signal: null });
  expect(await linesOf(program, 1)).toEqual([sentence]);
});

test('the development main server explains itself and starts nothing', async () => {
  const program = start({ script: 'dist/scripts/main-server/main.js', args: ['--help'] });
  expect(await program.waitForExit()).toEqual({ code: 0, signal: null });
  expect((await linesOf(program, 10)).join('\n')).toMatch(/^Usage: node .*--fail-first <n>/s);
});

test('it refuses what it does not know', async () => {
  const program = start({ script: 'dist/scripts/main-server/main.js', args: ['--fail-fist', '1'] });
  expect(await program.waitForExit()).toEqual({ code: 2, signal: null });
  expect(await linesOf(program, 1)).toEqual(["unknown option '--fail-fist' (Did you mean --fail-first?); see --help."]);
});

test('it serves, fails what it is told to, and ends at a signal', async () => {
  const program = start({ script: 'dist/scripts/main-server/main.js', args: ['--fail-first', '1'] });
  const url = (await program.waitForLine(/listens on/)).split(' ').at(-1) ?? '';
  const body = JSON.stringify({ message_id: 'a', worker_id: 'w' });
  const deliver = () => fetch(`${url}/internal/messages/deliver`, { method: 'POST', body });
  expect([(await deliver()).status, (await deliver()).status]).toEqual([503, 200]);
  program.signal('SIGTERM');
  expect(await program.waitForExit()).toEqual({ code: 0, signal: null });
});

test('it freezes beyond its pool, and says so', async () => {
  const args = ['--like-original', '--pool', '1', '--serial-ms', '60000', '--freeze-ms', '100'];
  const program = start({ script: 'dist/scripts/main-server/main.js', args });
  const url = (await program.waitForLine(/listens on/)).split(' ').at(-1) ?? '';
  const body = JSON.stringify({ message_id: 'a', worker_id: 'w' });
  // cut when it ends
  for (let at = 0; at < 2; at++)
    fetch(`${url}/internal/messages/deliver`, { method: 'POST', body }).catch(() => undefined);
  await program.waitForLine(/^Frozen for 0\.1 s: 2 requests in flight, its pool has 1$/);
  program.signal('SIGTERM');
  await program.waitForLine(/^2 deliveries and 0 status updates, at most 2 in flight, frozen 1 ×$/);
  expect(await program.waitForExit()).toEqual({ code: 0, signal: null });
});

test('a port that is taken is an error of one line', async () => {
  const holder = start({ script: 'dist/scripts/main-server/main.js', args: [] });
  const port = (await holder.waitForLine(/listens on/)).split(':').at(-1) ?? '';
  const program = start({ script: 'dist/scripts/main-server/main.js', args: ['--port', port] });
  expect(await program.waitForExit()).toEqual({ code: 1, signal: null });
  expect(await linesOf(program, 1)).toEqual([`listen EADDRINUSE: address already in use 127.0.0.1:${port}`]);
});
