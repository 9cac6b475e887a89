/** Row 30: the clock, the disk, the terminal, ports, descriptors, and a Python worker on the same queue. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../../scripts/local/find-program.js';
import { attemptCountOf } from '../../support/ledger.js';
import { waitFor } from '../../support/wait-for.js';
import { startPythonLikeWorker } from '../support/python-like-worker.js';
import { FAKETIME } from '../support/programs.js';
import type { Findings, Row } from '../support/row.js';
import type { Stage } from '../support/stage.js';
import { startedBy } from '../support/started-by.js';

const CLI = fileURLToPath(new URL('../../../dist/supervisor/cli.js', import.meta.url));
const SETTINGS = { WORKER_COUNT: 2, WORKER_CONCURRENCY: 4 };

export const ENVIRONMENT_ROWS: readonly Row[] = [
  {
    id: '30a',
    fault: 'wall clock of the workers +1 h, then -1 h, with retries waiting (libfaketime)',
    bound: 'retries at most 1 s early or late, 0 dup, nothing recovered from the living',
    limits: { recoveryMs: 1_000 },
    needs: [FAKETIME],
    run: clockMoves,
  },
  {
    id: '30b',
    fault: 'disk of the log folder full under load',
    bound: 'log lines lost, nothing else; it logs again after',
    run: diskFull,
  },
  { id: '30c', fault: 'log folder read-only', bound: 'log lines lost, nothing else', run: readOnlyLogs },
  { id: '30d', fault: 'the reader of stdout is gone (EPIPE)', bound: 'log lines lost, nothing else', run: readerGone },
  {
    id: '30e',
    fault: 'a metrics port is taken',
    bound: 'that worker is degraded and delivers, /metrics/workers serves',
    run: portTaken,
  },
  {
    id: '30f',
    fault: 'too few file descriptors (ulimit -n) for 64 slots',
    bound: '0 lost, 0 dup, nobody dies',
    run: fewDescriptors,
  },
  {
    id: '30g',
    fault: 'a BRPOP/LPUSH consumer like the Python worker shares the queue, a fifth fails at first',
    bound: '0 lost, 0 dup, both deliver',
    run: mixedFleet,
  },
  {
    id: '30h',
    fault:
      'all killed with claims and retries about, rollback twice at once, one of them killed in the middle, then once more',
    bound: 'all on the plain list, attempt_count kept, a Python worker delivers it; 0 lost, 0 dup',
    run: rollBack,
  },
];

async function clockMoves(stage: Stage): Promise<Findings> {
  const otherwise = 'Install libfaketime (Debian package faketime).';
  await findProgram({
    names: ['faketime'],
    debianPackage: 'faketime',
    otherwise: { linux: otherwise, darwin: otherwise, win32: otherwise },
  });
  const library = execFileSync('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' }).trim();
  const offset = join(stage.folder, 'offset');
  writeFileSync(offset, '+0\n');
  const env = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: offset,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
  const fleet = await stage.start({ ...SETTINGS, WORKER_RETRY_INTERVAL: 4 }, { env });
  await fleet.ready(2);
  stage.server.faults.post.failFirst = 1;
  stage.server.faults.post.failStatus = 500;
  for (const moved of ['+1h', '-1h']) {
    const before = stage.ledger.produced.length;
    await stage.ledger.produce(50);
    await waitFor(async () => (await stage.client.zcard(stage.keys.retry)) === 50, { what: '50 retries' });
    writeFileSync(offset, `${moved}\n`);
    await waitFor(() => stage.server.ledger.delivered.size === before + 50, { what: 'delivery', deadlineMs: 20_000 });
  }
  const errors = stage.ledger.produced.map((id) => {
    const [first, second] = stage.server.ledger.of(id, 'POST');
    return Math.abs((second?.startMs ?? Infinity) - (first?.endMs ?? 0) - 4_000);
  });
  stage.expect(!/Recovered|lost its lease/.test(fleet.logged()), 'claims of a living worker were recovered');
  return { recoveryMs: Math.max(...errors) };
}

/** A disk of its own; needs root, as mount does. */
function smallDisk(stage: Stage, options: string): string {
  const disk = join(stage.folder, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk]);
  stage.onClose(async () => void execFileSync('umount', ['-l', disk]));
  return disk;
}

function logText(disk: string): string {
  return readdirSync(disk)
    .map((name) => readFileSync(join(disk, name), 'utf8'))
    .join('');
}

async function diskFull(stage: Stage): Promise<Findings> {
  const disk = smallDisk(stage, 'size=256k');
  const fleet = await stage.start({ ...SETTINGS, LOG_FILE_PATH: disk });
  await fleet.ready(2);
  await stage.ledger.produce(4_000);
  await waitFor(() => stage.server.ledger.delivered.size === 4_000, { what: 'delivery', deadlineMs: 30_000 });
  stage.expect(
    fleet.program.lines.some(({ text }) => text.includes('ENOSPC')),
    'the console does not say so',
  );
  execFileSync('mount', ['-o', 'remount,size=64m', disk]);
  const [id = ''] = await stage.ledger.produce(1);
  const logsAgain = () => logText(disk).includes(`Message ${id} delivered`);
  await waitFor(logsAgain, { what: 'the log to go on', deadlineMs: 15_000 });
  return {};
}

async function readOnlyLogs(stage: Stage): Promise<Findings> {
  const disk = smallDisk(stage, 'ro,size=4k');
  const fleet = await stage.start({ ...SETTINGS, LOG_FILE_PATH: disk });
  await fleet.ready(2);
  await stage.ledger.produce(500);
  await waitFor(() => stage.server.ledger.delivered.size === 500, { what: 'delivery', deadlineMs: 15_000 });
  stage.expect(
    fleet.program.lines.some(({ text }) => text.includes(disk) && /read-only|EROFS/i.test(text)),
    'the console does not say that the log folder is read-only',
  );
  return {};
}

async function readerGone(stage: Stage): Promise<Findings> {
  const fleet = await startedBy(stage, SETTINGS, { after: 'child.stdout.destroy(); child.stderr.destroy();' });
  await fleet.ready(2);
  await stage.ledger.produce(1_000);
  await waitFor(() => stage.server.ledger.delivered.size === 1_000, { what: 'delivery', deadlineMs: 20_000 });
  stage.expect(fleet.logged().includes('delivered successfully'), 'the log file has stopped, too');
  return {};
}

async function portTaken(stage: Stage): Promise<Findings> {
  const fleet = await stage.start(SETTINGS, { prepareOnly: true });
  const thief = createServer().listen(fleet.metricsPort, '127.0.0.1');
  stage.onClose(async () => void thief.close());
  fleet.startAgain();
  await fleet.until(
    'a degraded worker, all consuming',
    ({ workers }) => workers.some(({ state }) => state === 'degraded') && workers.every(({ consuming }) => consuming),
  );
  stage.server.faults.post.delayMs = 50; // neither can take all before the other asks
  await stage.ledger.produce(400);
  await waitFor(() => stage.server.ledger.delivered.size === 400, { what: 'delivery', deadlineMs: 15_000 });
  await fleet.until('deliveries of both', ({ workers }) => workers.every(({ delivered }) => delivered > 0));
  stage.expect(fleet.logged().includes(String(fleet.metricsPort)), 'the log does not name the port');
  const metrics = await fleet.get('/metrics/workers');
  stage.expect(/worker_messages_delivered_total\{worker_id="worker-1"\} [1-9]/.test(metrics), 'it is not counted');
  return {};
}

async function fewDescriptors(stage: Stage): Promise<Findings> {
  stage.server.faults.post.delayMs = 100;
  const settings = { WORKER_COUNT: 2, WORKER_CONCURRENCY: 64, WORKER_BATCH_SIZE: 64, WORKER_RETRY_INTERVAL: 1 };
  const fleet = await startedBy(stage, settings, { command: 'ulimit -n 50; exec "$@"' });
  await fleet.ready(2);
  await stage.ledger.produce(300);
  await waitFor(() => stage.server.ledger.delivered.size === 300, { what: 'delivery', deadlineMs: 60_000 });
  const restarts = (await fleet.status()).workers.map((worker) => worker.restarts);
  stage.expect(
    restarts.every((count) => count === 0),
    `${restarts.join(' and ')} restarts`,
  );
  const failures = fleet.logged().match(/delivery failed, will retry/g)?.length ?? 0;
  return { note: `${failures} attempts failed` };
}

async function rollBack(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ ...SETTINGS, WORKER_RETRY_INTERVAL: 600 });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 10;
  stage.server.faults.post.failFirst = 1;
  stage.server.faults.post.failStatus = 500;
  await stage.ledger.produce(2_000);
  await waitFor(async () => (await stage.client.zcard(stage.keys.retry)) >= 500, {
    what: 'retries',
    deadlineMs: 20_000,
  });
  stage.server.faults.post.hang = true;
  await waitFor(() => stage.openPosts().length === 8, { what: 'all slots in a POST' });
  await fleet.program.destroy();
  const before = await stage.ledger.snapshot();
  stage.expect(before.processing.length > 0, 'nothing was claimed');
  const rollback = () => spawn(process.execPath, [CLI, 'rollback', '--force'], { cwd: fleet.cwd, stdio: 'ignore' });
  const killed = rollback();
  const other = rollback();
  await waitFor(async () => (await stage.client.zcard(stage.keys.retry)) < before.retry.length, {
    what: 'a first step',
  });
  killed.kill('SIGKILL');
  await exitOf(other);
  const code = await exitOf(rollback());
  stage.expect(code === 0, `rollback ended with ${code}`);
  const { waiting, processing, retry } = await stage.ledger.snapshot();
  stage.expect(
    processing.length + retry.length === 0,
    `${processing.length} claims and ${retry.length} retries are left`,
  );
  const tried = waiting.filter((raw) => attemptCountOf(raw) === 1).length;
  stage.expect(tried === before.retry.length, `${tried} of ${before.retry.length} retries kept their attempt_count`);
  const account = await stage.ledger.accountFor();
  stage.expect(account.misplaced.length === 0 && account.lost.length === 0, 'a message is lost or doubled');
  Object.assign(stage.server.faults.post, { hang: false, failFirst: 0 });
  const python = startPythonLikeWorker(stage, { retryMs: 1_000, concurrency: 4 });
  stage.onClose(() => python.stop());
  const isDone = async () => (await stage.client.llen(stage.keys.queue)) === 0;
  await waitFor(isDone, { what: 'the Python worker to deliver', deadlineMs: 30_000 });
  await python.stop();
  return { note: `${before.processing.length} claims, ${before.retry.length} retries` };
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

async function mixedFleet(stage: Stage): Promise<Findings> {
  const python = startPythonLikeWorker(stage, { retryMs: 1_000, concurrency: 4 });
  stage.onClose(() => python.stop());
  const fleet = await stage.start({ ...SETTINGS, WORKER_RETRY_INTERVAL: 1 });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 10;
  stage.server.faults.post.failRate = 0.2;
  stage.server.faults.post.failStatus = 500;
  await stage.ledger.produce(1_000);
  await waitFor(() => stage.server.ledger.delivered.size === 1_000, { what: 'delivery', deadlineMs: 40_000 });
  const ofPython = [...stage.server.ledger.exchanges.values()]
    .flat()
    .filter(({ status, body }) => status === 200 && (body as { worker_id?: string }).worker_id === 'python-1').length;
  stage.expect(ofPython > 0 && ofPython < 1_000, `${ofPython} delivered by the Python worker`);
  await python.stop();
  return { note: `${ofPython} by the Python worker` };
}
