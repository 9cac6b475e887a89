/** Rows 7 and 14: children that cannot start, stopping. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from '../../../support/program/fleet.js';
import { attemptCountOf } from '../../../support/ledger.js';
import { waitFor } from '../../../support/wait-for.js';
import { cpuShareDuring } from '../../support/process-stat.js';
import type { Findings, Row } from '../../support/row.js';
import { breakCertificate } from '../../support/spoil.js';
import { sendSignal, timed, type Stage } from '../../support/stage.js';

const CONCURRENCY = 4;

export const STOP_ROWS: readonly Row[] = [
  {
    id: '7',
    fault: 'workers die at boot: certificate replaced by rubbish, then mended',
    bound: '/health and /ready say so < 2 s, starts after 0.1, 0.2, 0.4 … s, primary < 5 % CPU, back ≤ 12 s',
    limits: { recoveryMs: 2_000 },
    alone: true,
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
    alone: true,
    run: (stage) => stopWhileHanging(stage, 2),
  },
];

async function bootFailures(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: 1, WORKER_CONCURRENCY: CONCURRENCY });
  const [worker] = await fleet.ready(1);
  breakCertificate(fleet);
  sendSignal(worker?.pid, 'SIGKILL');
  const brokenAt = performance.now();
  await stage.ledger.produce(20);
  const answer = (path: string) => fetch(`http://127.0.0.1:${fleet.port}${path}`, { headers: { connection: 'close' } });
  const isUnready = async () => (await answer('/ready')).status === 503;
  await waitFor(isUnready, { what: '/ready to say no' });
  const namesFile = async () => /worker\.crt/.test(await fleet.get('/health'));
  await waitFor(namesFile, { what: '/health to name the certificate' });
  const recoveryMs = performance.now() - brokenAt;
  for (const until = performance.now() + 5_000; performance.now() < until; await sleep(50)) {
    stage.expect(await isUnready(), '/ready says yes meanwhile');
    stage.expect(await namesFile(), '/health does not name the certificate meanwhile');
  }
  const share = await cpuShareDuring([fleet.program.pid], () => sleep(10_000));
  stage.expect(share < 0.05, `the primary uses ${(share * 100).toFixed(1)} % CPU`);
  expectBackoff(stage, fleet);
  copyFileSync(stage.certificates.workerCert, join(fleet.cwd, 'certs', 'worker.crt'));
  const back = await timed(() => fleet.ready(1));
  stage.expect(back <= 12_000, `back after ${back.toFixed(0)} ms`);
  return { recoveryMs, note: `CPU ${(share * 100).toFixed(1)} %, back after ${(back / 1_000).toFixed(1)} s` };
}

/** In 15 s: 100 ms, then twice as long each time, ±10 % of jitter, 10 s at most. */
function expectBackoff(stage: Stage, fleet: Fleet): void {
  const delays = [...fleet.logged().matchAll(/starting it again in (\d+) ms/g)].map(([, ms]) => Number(ms));
  const isAsPromised = (delay: number, crash: number) => {
    const promised = Math.min(100 * 2 ** crash, 10_000);
    return delay >= promised * 0.89 && delay <= promised * 1.11;
  };
  stage.expect(delays.length >= 4 && delays.length <= 9, `${delays.length} starts in 15 s`);
  stage.expect(delays.every(isAsPromised), `delays of ${delays.join(', ')} ms`);
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
