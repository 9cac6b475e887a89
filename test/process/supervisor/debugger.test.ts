/** SIGUSR1 opens Node's debugger, to which every user of the host may connect, in a program that does not listen to it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { useInstallation } from '../../support/program/fleet.js';
import { startProgram, type Program } from '../../support/program/program.js';
import { freePort } from '../../support/free-port.js';

const installation = useInstallation();
const started: Program[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((program) => program.destroy()));
});

function run(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Program {
  const program = startProgram({ args, cwd, env });
  started.push(program);
  return program;
}

test('SIGUSR1 opens no debugger: primary, child, standalone worker', async () => {
  const fleet = await installation.start({ WORKER_COUNT: 1 });
  const [worker] = await fleet.ready(1);
  const port = String(await freePort());
  const alone = run(['worker', '--worker-id', 'alone', '--metrics-port', port], fleet.cwd);
  await alone.waitForLine(/Worker alone starting/);

  const programs = [fleet.program, alone];
  for (const pid of [worker?.pid ?? 0, ...programs.map((program) => program.pid)]) process.kill(pid, 'SIGUSR1');
  for (const program of programs) {
    program.signal('SIGINT');
    await program.waitForExit();
  }
  const said = programs.flatMap(({ lines }) => lines.map(({ text }) => text));
  expect(said.filter((text) => /debugger/i.test(text))).toEqual([]);
});

test.each(['supervisor/cli.js', 'src/main.js'])('%s listens to it before it loads anything else', (entry) => {
  const text = readFileSync(fileURLToPath(new URL(`../../../dist/${entry}`, import.meta.url)), 'utf8');
  const statements = text.replace(/^#!.*$/m, '').replace(/\/\*.*?\*\//gs, '');
  expect(statements.trimStart()).toMatch(/^process\.on\('SIGUSR1'/);
  expect(statements).not.toMatch(/^(import|export) .*from|^import '/m);
});
