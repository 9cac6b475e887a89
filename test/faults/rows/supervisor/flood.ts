/** Row 47: somebody floods every port from one address. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Fleet } from '../../../support/program/fleet.js';
import { repeat } from '../../../support/wait-for.js';
import type { Findings, Row } from '../../support/row.js';
import { pidsOf, type Stage } from '../../support/stage.js';

const WORKERS = 2;
const PER_SECOND = 100;
const MEASURED_MS = 6_000;
const PROBE_MS = 1_000;

const KINDS = [
  ['a', 'pipelines', '20 connections that pipeline without end'],
  ['b', 'storm', '50 connections, a new one for each request'],
  ['c', 'slow-readers', '110 connections that ask 2,000 times and read nothing'],
  ['d', 'silence', '1,000 connections that ask for nothing'],
] as const;

export const FLOOD_ROWS: readonly Row[] = KINDS.map(([letter, kind, what]) => ({
  id: `47${letter}`,
  fault: `${what}, on the port of each worker and of the supervisor`,
  bound: '≥ 90 % of the deliveries, no worker killed, probes from that address too ≤ 1 s',
  alone: true,
  run: (stage) => flooded(stage, kind),
}));

async function flooded(stage: Stage, kind: string): Promise<Findings> {
  const fleet = await stage.start({ WORKER_COUNT: WORKERS });
  await fleet.ready(WORKERS);
  const pids = await pidsOf(fleet);
  const load = stage.load(PER_SECOND);
  const before = await deliveredDuring(stage);
  const flooder = startFlood(kind, fleet);
  stage.onClose(async () => void flooder.kill('SIGKILL'));
  const slowest = new Map<string, number>();
  const probes = ['127.0.0.1', '127.0.0.2'].flatMap((from) =>
    ['/health', '/ready'].map((path) => repeat(() => probe(fleet.port, path, from, slowest), 100)),
  );
  const during = await deliveredDuring(stage);
  await Promise.all(
    probes.map((probing) => probing.stop().catch((error: unknown) => stage.expect(false, String(error)))),
  );
  const ended = once(flooder, 'exit');
  flooder.kill('SIGKILL');
  await ended;
  await load.stop();
  stage.expect(during >= 0.9 * before, `${during} deliveries in place of ${before}`);
  const slow = [...slowest].filter(([, ms]) => ms > PROBE_MS).map(([name, ms]) => `${name} took ${ms.toFixed(0)} ms`);
  stage.expect(slow.length === 0, slow.join(', '));
  stage.expect(String(await pidsOf(fleet)) === String(pids), 'other processes serve now');
  const probed = Math.max(0, ...slowest.values()).toFixed(0);
  return { note: `${during} of ${before} delivered, slowest probe ${probed} ms` };
}

function startFlood(kind: string, fleet: Fleet): ChildProcess {
  const script = fileURLToPath(new URL('../../support/flooder.js', import.meta.url));
  const ports = [fleet.port, fleet.metricsPort, fleet.metricsPort + 1];
  return fork(script, [kind, ...ports.map(String)], { stdio: 'ignore' });
}

async function deliveredDuring(stage: Stage): Promise<number> {
  const before = stage.server.ledger.delivered.size;
  await sleep(MEASURED_MS);
  return stage.server.ledger.delivered.size - before;
}

async function probe(port: number, path: string, from: string, slowest: Map<string, number>): Promise<void> {
  const begun = performance.now();
  const name = `${path} from ${from}`;
  const asked = request({ port, path, host: '127.0.0.1', localAddress: from, agent: false, timeout: 5_000 });
  asked.once('timeout', () => asked.destroy(new Error('no answer for 5 s')));
  const status = await new Promise<number | string>((resolve) => {
    asked.once('response', (response) => resolve(response.resume().statusCode ?? 0));
    asked.once('error', (error) => resolve(error.message));
    asked.end();
  });
  if (status !== 200) throw new Error(`${name}: ${status}`);
  slowest.set(name, Math.max(slowest.get(name) ?? 0, performance.now() - begun));
}
