/** Rows 15 and 16: reloads under load, and such as cannot succeed. */
import { appendFileSync, cpSync, realpathSync, statSync, symlinkSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Fleet } from '../../../support/program/fleet.js';
import { startProgram } from '../../../support/program/program.js';
import { waitFor } from '../../../support/wait-for.js';
import type { Findings, Row } from '../../support/row.js';
import { breakCertificate, breakSettings } from '../../support/spoil.js';
import { pidsOf, timed, type Stage } from '../../support/stage.js';

/** The project: beside the rows there is only a link to what was built. */
const ROOT = dirname(realpathSync(fileURLToPath(new URL('../../../../dist', import.meta.url))));
const CONCURRENCY = 4;
const UNCHANGED = 'same processes consume all the time; ERROR, metric and exit code of `reload` say so';

export const RELOAD_ROWS: readonly Row[] = [
  {
    id: '15',
    fault: '10 SIGHUPs in 1 s under full load',
    bound: 'one reload, 0 dup, throughput ≥ (N-1)/N (2/3) in every second, ≥ N-1 consume',
    alone: true,
    run: reloadUnderLoad,
  },
  {
    id: '16a',
    fault: 'SIGHUP to a broken .env',
    bound: UNCHANGED,
    run: (stage) => brokenReload(stage, breakSettings),
  },
  {
    id: '16b',
    fault: 'SIGHUP to a broken certificate',
    bound: UNCHANGED,
    run: (stage) => brokenReload(stage, breakCertificate),
  },
  {
    id: '16c',
    fault: 'SIGHUP to a Redis that is not there',
    bound: UNCHANGED,
    run: (stage) => brokenReload(stage, (fleet) => appendFileSync(join(fleet.cwd, '.env'), 'REDIS_PORT=1\n')),
  },
  {
    id: '16d',
    fault: 'SIGHUP to a broken release: the program of the workers is cut in half',
    bound: UNCHANGED,
    run: brokenRelease,
  },
];

/** 50 ms per POST: the slots, not the cores, are the limit, so that a missing worker shows. */
async function reloadUnderLoad(stage: Stage): Promise<Findings> {
  stage.server.faults.post.delayMs = 50;
  const fleet = await stage.start({ WORKER_COUNT: 3, WORKER_CONCURRENCY: CONCURRENCY, LOG_LEVEL: 'WARNING' });
  const before = (await fleet.ready(3)).map(({ pid }) => pid);
  await stage.ledger.produce(8_000);
  const usual = await deliveredPerSecond(stage, 3_000);
  for (let at = 0; at < 10; at++) {
    fleet.program.signal('SIGHUP');
    await sleep(50);
  }
  let reloading = true;
  const capacity = fewestConsuming(fleet, () => reloading);
  let slowest = Infinity;
  const isDone = async () => {
    slowest = Math.min(slowest, await deliveredPerSecond(stage, 1_000));
    return (await fleet.status()).supervisor.last_reload !== null;
  };
  await waitFor(isDone, { what: 'the reload', deadlineMs: 25_000 });
  reloading = false;
  stage.server.faults.post.delayMs = 0; // the rest needs no 25 s
  await sleep(1_500); // one more would have begun
  await fleet.until('the end of all reloads', ({ supervisor: { state } }) => state === 'running');
  const { supervisor, workers } = await fleet.status();
  stage.expect(supervisor.reloads_succeeded === 1, `${supervisor.reloads_succeeded} reloads`);
  stage.expect(!workers.some(({ pid }) => before.includes(pid)), 'an old process serves on');
  const fewest = await capacity;
  stage.expect(fewest >= 2, `only ${fewest} workers consumed at some moment`);
  stage.expect(slowest >= (usual * 2) / 3, `${slowest.toFixed(0)}/s in the slowest second of ${usual.toFixed(0)}/s`);
  const share = ((slowest / usual) * 100).toFixed(0);
  return { note: `${share} % in the slowest second, ${fewest} or more of 3 consume` };
}

async function deliveredPerSecond(stage: Stage, ms: number): Promise<number> {
  const before = stage.server.ledger.delivered.size;
  const tookMs = await timed(() => sleep(ms));
  return ((stage.server.ledger.delivered.size - before) / tookMs) * 1_000;
}

/** Looks as often as it can. */
async function fewestConsuming(fleet: Fleet, goesOn: () => boolean): Promise<number> {
  let fewest = Infinity;
  while (goesOn()) {
    // a row that failed has closed the stage under us
    const status = await fleet.status().catch(() => undefined);
    if (status) fewest = Math.min(fewest, status.workers.filter(({ consuming }) => consuming).length);
    await sleep(20);
  }
  return fewest;
}

async function brokenReload(stage: Stage, spoil: (fleet: Fleet) => void): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY });
  await fleet.ready(2);
  return failToReload(stage, fleet, spoil);
}

async function brokenRelease(stage: Stage): Promise<Findings> {
  const release = join(stage.folder, 'release');
  for (const part of ['dist', 'config', 'package.json'])
    cpSync(join(ROOT, part), join(release, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(release, 'node_modules'));
  const fleet = await stage.start({ WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY }, { prepareOnly: true });
  fleet.startAgain({}, join(release, 'dist/supervisor/cli.js'));
  await fleet.ready(2);
  const entry = join(release, 'dist/src/main.js');
  return failToReload(stage, fleet, () => truncateSync(entry, Math.floor(statSync(entry).size / 2)));
}

/** SIGHUP and `reload` within a second are one reload, and both must tell. */
async function failToReload(stage: Stage, fleet: Fleet, spoil: (fleet: Fleet) => void): Promise<Findings> {
  const before = await pidsOf(fleet);
  const load = stage.load(50);
  let reloading = true;
  const capacity = fewestConsuming(fleet, () => reloading);
  spoil(fleet);
  fleet.program.signal('SIGHUP');
  const command = startProgram({ args: ['reload'], cwd: fleet.cwd });
  stage.onClose(() => command.destroy());
  const { code } = await command.waitForExit(40_000);
  await fleet.until('the failed reload', ({ supervisor }) => supervisor.reloads_failed > 0);
  reloading = false;
  await load.stop();
  stage.expect(code !== 0, '`reload` ended with exit code 0');
  stage.expect(String(await pidsOf(fleet)) === String(before), 'other processes serve now');
  const fewest = await capacity;
  stage.expect(fewest === 2, `only ${fewest} workers consumed at some moment`);
  const metrics = await fleet.get('/metrics');
  stage.expect(/supervisor_reloads_total\{result="failed"\} [1-9]/.test(metrics), 'the metric does not say so');
  stage.expect(/ERROR - \[supervisor\] - Reload failed/.test(fleet.logged()), 'no ERROR says so');
  const told = command.lines.find(({ text }) => text.startsWith('ERROR'))?.text ?? '';
  return { note: told.slice(0, 100) };
}
