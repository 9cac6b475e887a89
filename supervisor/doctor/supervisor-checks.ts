import { CAUSE } from '../../src/shared/words/causes.js';
import { reasonOf } from '../../src/shared/errors.js';
import type { ControlClient } from '../admin/client.js';
import { completed } from '../status/documents/earlier-status.js';
import { readinessOf } from '../status/documents/readiness.js';
import type { StatusDocument } from '../status/status-document.js';
import { fail, ok, warn, type Finding } from './finding.js';

const MUCH_MEMORY = 512 * 1_048_576;
/** Median of a delivery above which the main server or the way to it is slow; a quick one takes some milliseconds. */
const SLOW_S = 0.5;
const SEE_STATUS = 'See "message-broker-worker status" and the log.';

/** What the supervisor that runs says, if one does. Never rejects. */
export async function checkSupervisor(
  client: ControlClient,
): Promise<{ readonly findings: Finding[]; readonly status?: StatusDocument }> {
  try {
    const status = completed(await client.ask('status'));
    return {
      status,
      findings: [...readyFindings(status), ...workerFindings(status), ...deliveryFindings(status)],
    };
  } catch (error) {
    return { findings: [warn('supervisor', reasonOf(error), 'Start it: message-broker-worker start')] };
  }
}

function readyFindings(status: StatusDocument): Finding[] {
  const { pid, workers_wanted: wanted } = status.supervisor;
  const { reasons, warnings } = readinessOf(status).body;
  const consuming = status.workers.filter((worker) => worker.consuming).length;
  return [
    reasons.length > 0
      ? fail('supervisor', `pid ${pid}, not ready: ${reasons.join('; ')}`, SEE_STATUS)
      : ok('supervisor', `pid ${pid}, ${consuming} of ${wanted} workers take messages`),
    ...warnings.map((warning) => warn('supervisor', warning, SEE_STATUS)),
  ];
}

function workerFindings({ workers }: StatusDocument): Finding[] {
  const hung = workers.filter(({ hangs }) => hangs > 0);
  const big = workers.filter(({ memory_bytes: memory }) => (memory ?? 0) > MUCH_MEMORY);
  return [
    ...hung.map(({ id, hangs }) =>
      warn(
        'hung workers',
        `${id} ${CAUSE.hang} for 10 s and was killed, ${hangs === 1 ? 'once' : `${hangs} times`} since the start`,
        'Had the host no processor time or memory left? See "uptime" and "free -m"; if it had, report it with the log.',
      ),
    ),
    ...big.map(({ id, memory_bytes: memory }) =>
      warn(
        'memory',
        `${id} uses ${Math.round((memory ?? 0) / 1_048_576)} MiB`,
        'Lower WORKER_CONCURRENCY and WORKER_BATCH_SIZE, or set WORKER_MAX_MEMORY.',
      ),
    ),
  ];
}

function deliveryFindings({ traffic }: StatusDocument): Finding[] {
  const { delivery_seconds: times, window_seconds: window } = traffic;
  if (times === null) return [];
  const found = `half of the deliveries take up to ${seconds(times.p50)}, 95 % up to ${seconds(times.p95)} (last ${Math.round(window)} s)`;
  if (times.p50 <= SLOW_S) return [ok('delivery time', found)];
  return [
    warn(
      'delivery time',
      found,
      'Look at the main server and the network first. If they are as they should be, raise WORKER_CONCURRENCY, then WORKER_COUNT.',
    ),
  ];
}

function seconds(value: number): string {
  return value < 1 ? `${Math.round(value * 1_000)} ms` : `${value.toFixed(1)} s`;
}
