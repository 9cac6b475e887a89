/** Row 50: what the program keeps on the disk is deleted, moved, replaced by links, or belongs to others. */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { localDate } from '../../../../src/shared/logger/line-format.js';
import type { Fleet } from '../../../support/program/fleet.js';
import { startProgram } from '../../../support/program/program.js';
import { waitFor } from '../../../support/wait-for.js';
import type { Findings, Row } from '../../support/row.js';
import { pidsOf, type Stage } from '../../support/stage.js';

const EXIT_CONFIG = 78;
/** As promised. */
const NOTICED_MS = 2_000;

export const FILE_ROWS: readonly Row[] = [
  {
    id: '50d',
    fault: "today's log file deleted, moved, and moved again after a reload, under load; then the whole folder deleted",
    bound: 'noticed ≤ 2 s, then no line missing of any process, one WARNING each',
    run: logsVanish,
  },
  {
    id: '50e',
    fault: 'the runtime folder is a link, or can be written by others',
    bound: 'refused by start (78) and by the commands, the target untouched, no second supervisor',
    run: untrustedFolder,
  },
];

async function logsVanish(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 2 });
  await fleet.ready(2);
  const file = () => join(fleet.cwd, 'logs', `worker-${localDate(Date.now())}.log`);
  const load = stage.load(100);
  let moves = 0;
  const harms: readonly [string, () => void | Promise<void>][] = [
    ['deleted', () => rmSync(file())],
    ['moved', () => renameSync(file(), join(fleet.cwd, `moved-${(moves += 1)}`))],
    ['moved after a reload', () => movedAfterReload(stage, fleet, () => renameSync(file(), join(fleet.cwd, 'moved')))],
    ['deleted with the folder', () => rmSync(join(fleet.cwd, 'logs'), { recursive: true })],
  ];
  for (const [what, harm] of harms) {
    await harm();
    await sleep(NOTICED_MS);
    const warned = fleet.program.lines.filter(({ text }) =>
      /WARNING - \[supervisor\] - The log file .* deleted or moved/.test(text),
    );
    stage.expect(
      warned.length === harms.findIndex(([name]) => name === what) + 1,
      `${what}: ${warned.length} warnings so far`,
    );
    await expectAllLines(stage, fleet, what);
  }
  await load.stop();
  return { note: `${harms.length} times` };
}

/** Whatever is printed is in the file as well: the last 50 deliveries of each worker, and a line of the supervisor. */
async function expectAllLines(stage: Stage, fleet: Fleet, what: string): Promise<void> {
  const from = fleet.program.lines.length;
  process.kill(fleet.program.pid, 'SIGUSR2');
  const told = () => fleet.program.lines.slice(from).map(({ text }) => text);
  await waitFor(
    () =>
      ['worker-1', 'worker-2'].every((worker) => told().filter((text) => text.includes(`[${worker}]`)).length > 50) &&
      told().some((text) => text.includes('[supervisor]')),
    { what: 'lines of all processes' },
  );
  const printed = told();
  const missing = (): string[] => {
    const logged = existsSync(join(fleet.cwd, 'logs', 'worker.log')) ? fleet.logged() : '';
    return printed.filter((line) => !logged.includes(line));
  };
  await waitFor(() => missing().length === 0, { what: 'the lines on the disk', deadlineMs: 5_000 }).catch(
    () => undefined,
  );
  stage.expect(
    missing().length === 0,
    `${what}: ${missing().length} lines are not in the file, such as ${missing()[0]}`,
  );
}

async function movedAfterReload(stage: Stage, fleet: Fleet, move: () => void): Promise<void> {
  const before = await pidsOf(fleet);
  fleet.program.signal('SIGHUP');
  await fleet.program.waitForLine(/Reload finished/);
  stage.expect(
    (await pidsOf(fleet)).every((pid) => !before.includes(pid)),
    'the reload replaced nobody',
  );
  move();
}

async function untrustedFolder(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 1 }, { prepareOnly: true });
  const folder = join(fleet.cwd, 'run');
  const other = join(fleet.cwd, 'other');
  mkdirSync(other, { mode: 0o755 });
  const cases: readonly [string, RegExp, () => void][] = [
    ['a link', /is a link/, () => symlinkSync(other, folder)],
    ['open to others', /can be written by others/, () => (mkdirSync(folder), chmodSync(folder, 0o777))],
  ];
  for (const [what, sentence, make] of cases) {
    make();
    for (const args of [['start'], ['status'], ['stop']]) {
      const program = startProgram({ cwd: fleet.cwd, args });
      stage.programs.push(program);
      const { code } = await program.waitForExit();
      const text = program.lines.map((line) => line.text).join('\n');
      stage.expect(sentence.test(text), `${args[0]} with ${what} said: ${text}`);
      stage.expect(
        args[0] === 'start' ? code === EXIT_CONFIG : code !== 0,
        `${args[0]} with ${what}: exit code ${code}`,
      );
    }
    rmSync(folder, { recursive: true, force: true });
  }
  stage.expect((statSync(other).mode & 0o777) === 0o755, 'the target of the link was changed');
  fleet.startAgain();
  await fleet.ready(1);
  return {};
}
