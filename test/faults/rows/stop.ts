/** Rows 7 and 14 to 16: children that cannot start, stopping, reloading. */
import { appendFileSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from '../../support/fleet.js';
import { attemptCountOf } from '../../support/ledger.js';
import { waitFor } from '../../support/wait-for.js';
import { cpuShareDuring } from '../support/process-stat.js';
import type { Findings, Row } from '../support/row.js';
import { pidsOf, timed, sendSignal, type Stage } from '../support/stage.js';

const CONCURRENCY = 4;

export const STOP_ROWS: readonly Row[] = [
  {
    id: '7',
    fault: 'workers die at boot: certificate replaced by rubbish, then mended',
    bound: 'health says so < 2 s, primary < 5 % CPU, ≤ 9 starts in 15 s, back ≤ 12 s',
    limits: { recoveryMs: 2_000 },
    run: bootFailures,
  },
  {
    id: '14a',
    fault: 'SIGTERM while the main server hangs',
    bound: 'deadline 25 s + 1 s, exit 0, everything handed back',
    limits: { recoveryMs: 26_000 },
    run: (stage) => stopWhileHanging(stage, 1),
  },
  {
    id: '14b',
    fault: 'second SIGTERM while the main server hangs',
    bound: 'gone ≤ 1 s, everything handed back',
    limits: { recoveryMs: 1_000 },
    run: (stage) => stopWhileHanging(stage, 2),
  },
  {
    id: '15',
    fault: '10 SIGHUPs in 1 s under full load',
    bound: 'one reload, 0 dup, throughput ≥ (N-1)/N (2/3)',
    alone: true,
    run: reloadUnderLoad,
  },
  {
    id: '16a',
    fault: 'SIGHUP to a broken .env',
    bound: 'same processes serve on, ERROR and metric say so',
    run: (stage) =>
      brokenReload(stage, (fleet) => appendFileSync(join(fleet.cwd, '.env'), 'WORKER_CONCURRENCY=many\n')),
  },
  {
    id: '16b',
    fault: 'SIGHUP to a broken certificate',
    bound: 'same processes serve on, ERROR and metric say so',
    run: (stage) => brokenReload(stage, breakCertificate),
  },
  {
    id: '16c',
    fault: 'SIGHUP to a Redis that is not there',
    bound: 'same processes serve on, ERROR and metric say so',
    run: (stage) => brokenReload(stage, (fleet) => appendFileSync(join(fleet.cwd, '.env'), 'REDIS_PORT=1\n'), 40_000),
  },
];

function breakCertificate(fleet: Fleet): void {
  writeFileSync(join(fleet.cwd, 'certs', 'worker.crt'), 'rubbish\n');
}

async function bootFailures(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 1, WORKER_CONCURRENCY: CONCURRENCY });
  const [worker] = await fleet.ready(1);
  breakCertificate(fleet);
  sendSignal(worker?.pid, 'SIGKILL');
  const brokenAt = performance.now();
  await stage.ledger.produce(20);
  const isUnready = async () => (await fetch(`http://127.0.0.1:${fleet.port}/ready`)).status === 503;
  await waitFor(isUnready, { what: '/ready to say no' });
  const recoveryMs = performance.now() - brokenAt;
  await sleep(5_000);
  const share = await cpuShareDuring([fleet.program.pid], () => sleep(10_000));
  stage.expect(share < 0.05, `the primary uses ${(share * 100).toFixed(1)} % CPU`);
  const starts = fleet.program.lines.filter(({ text }) => text.includes(' is starting')).length;
  stage.expect(starts >= 4 && starts <= 10, `${starts} starts in 15 s`);
  copyFileSync(stage.certificates.workerCert, join(fleet.cwd, 'certs', 'worker.crt'));
  const back = await timed(() => fleet.ready(1));
  stage.expect(back <= 12_000, `back after ${back.toFixed(0)} ms`);
  return { recoveryMs };
}

async function stopWhileHanging(stage: Stage, signals: number): Promise<Findings> {
  stage.server.faults.post.hang = true;
  const fleet = await stage.start({ WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY });
  await fleet.ready(2);
  await stage.ledger.produce(30);
  await waitFor(() => stage.openPosts().length === 2 * CONCURRENCY, { what: 'POSTs that hang' });
  let signalledAt = performance.now();
  fleet.program.signal('SIGTERM');
  if (signals === 2) {
    await sleep(1_000);
    signalledAt = performance.now();
    fleet.program.signal('SIGTERM');
  }
  const exit = await fleet.program.waitForExit(30_000);
  const recoveryMs = performance.now() - signalledAt;
  stage.expect(exit.code === 0, `exit code ${exit.code ?? exit.signal}`);
  stage.expect(fleet.program.descendants().length === 0, 'workers are left');
  const { waiting, processing } = await stage.ledger.snapshot();
  stage.expect(waiting.length === 30 && processing.length === 0, `${waiting.length} of 30 are back in the queue`);
  stage.expect(
    waiting.every((raw) => attemptCountOf(raw) === 0),
    'attempt_count has changed',
  );
  stage.server.faults.post.hang = false;
  fleet.startAgain();
  return { recoveryMs };
}

/** 50 ms per POST: the slots, not the cores, are the limit, so that a missing worker shows. */
async function reloadUnderLoad(stage: Stage): Promise<Findings> {
  stage.server.faults.post.delayMs = 50;
  const fleet = await stage.start({ WORKER_COUNT: 3, WORKER_CONCURRENCY: CONCURRENCY, LOG_LEVEL: 'WARNING' });
  await fleet.ready(3);
  await stage.ledger.produce(4_000);
  const count = () => stage.server.ledger.delivered.size;
  const perSecond = async (ms: number): Promise<number> => {
    const before = count();
    await sleep(ms);
    return ((count() - before) / ms) * 1_000;
  };
  const usual = await perSecond(3_000);
  for (let at = 0; at < 10; at++) {
    fleet.program.signal('SIGHUP');
    await sleep(80);
  }
  let slowest = Infinity;
  const isDone = async () => (await fleet.status()).supervisor.last_reload !== null;
  while (!(await isDone())) slowest = Math.min(slowest, await perSecond(1_000));
  const { supervisor } = await fleet.status();
  stage.expect(supervisor.reloads_succeeded === 1, `${supervisor.reloads_succeeded} reloads`);
  stage.expect(slowest >= (usual * 2) / 3, `${slowest.toFixed(0)}/s in the slowest second of ${usual.toFixed(0)}/s`);
  return { note: `${slowest.toFixed(0)} of ${usual.toFixed(0)}/s in the slowest second` };
}

async function brokenReload(stage: Stage, spoil: (fleet: Fleet) => void, deadlineMs = 20_000): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 2, WORKER_CONCURRENCY: CONCURRENCY });
  await fleet.ready(2);
  const before = await pidsOf(fleet);
  const load = stage.load(50);
  spoil(fleet);
  fleet.program.signal('SIGHUP');
  await fleet.until('the failed reload', ({ supervisor }) => supervisor.reloads_failed === 1, deadlineMs);
  await load.stop();
  stage.expect(String(await pidsOf(fleet)) === String(before), 'other processes serve now');
  const metrics = await fleet.get('/metrics');
  stage.expect(metrics.includes('supervisor_reloads_total{result="failed"} 1'), 'the metric does not say so');
  stage.expect(/ERROR - \[supervisor\] - Reload failed/.test(fleet.logged()), 'no ERROR says so');
  return {};
}
