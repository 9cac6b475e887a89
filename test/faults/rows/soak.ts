/** Half of the measured maximum for minutes, with a fault at random every 5 s: `npm run test:soak -- --minutes 10`. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from '../../support/program/fleet.js';
import type { TcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';
import { residentBytes } from '../support/process-stat.js';
import type { Findings, Row } from '../support/row.js';
import { pidsOf, sendSignal, type Stage } from '../support/stage.js';

const CONCURRENCY = 4;
const FAULT_EVERY_MS = 5_000;
const SAMPLE_MS = 1_000;
const MOST_GROWTH = 1.1;
const DEFAULT_MINUTES = 10;

export const SOAK_ROW: Row = {
  id: 'soak',
  fault: 'half of the maximum with a random fault every 5 s',
  bound: '0 lost, dup ≤ C per kill, memory and handles of the primary flat (≤ 1.1 × the first half)',
  run: soak,
};

interface Target {
  readonly stage: Stage;
  readonly fleet: Fleet;
  readonly redis: TcpProxy;
  readonly server: TcpProxy;
}

/** Each resolves when its fault is over, to the number of processes that it cost. */
const FAULTS: Readonly<Record<string, (target: Target) => Promise<number>>> = {
  'kill -9': async ({ fleet }) => signal(fleet, 'SIGKILL'),
  SIGSTOP: async ({ fleet }) => signal(fleet, 'SIGSTOP'),
  SIGHUP: async ({ fleet }) => {
    fleet.program.signal('SIGHUP');
    return 0;
  },
  'Redis frozen': async ({ stage }) => {
    stage.redis.freeze();
    await sleep(2_000);
    stage.redis.thaw();
    return 0;
  },
  'Redis reset': async ({ redis }) => {
    redis.dropConnections('reset');
    return 0;
  },
  'Redis black': async ({ redis }) => during(redis, 'blackhole', 3_000),
  'reply of Redis cut': async ({ redis }) => {
    redis.cutAfter(500);
    return 0;
  },
  'scripts forgotten': async ({ stage }) => {
    await stage.client.script('FLUSH');
    return 0;
  },
  'server refuses': async ({ server }) => during(server, 'refuse', 3_000),
  'server 503': async ({ stage }) => {
    stage.server.faults.post.status = 503;
    await sleep(2_000);
    stage.server.faults.post.status = undefined;
    return 0;
  },
  'stale sockets': async ({ stage }) => {
    stage.server.faults.staleCloses = 8;
    return 0;
  },
};

async function soak(stage: Stage): Promise<Findings> {
  const minutes = minutesWanted();
  const redis = await stage.proxy(stage.redis.port);
  const server = await stage.proxy(stage.server.port);
  const fleet = await stage.start({
    WORKER_COUNT: 3,
    WORKER_CONCURRENCY: CONCURRENCY,
    WORKER_RETRY_INTERVAL: 2,
    LOG_LEVEL: 'WARNING',
    REDIS_PORT: redis.port,
    MAIN_SERVER_URL: `https://localhost:${server.port}`,
  });
  await fleet.ready(3);
  const perSecond = await halfOfMaximum(stage);
  const load = stage.load(perSecond);
  const samples: Sample[] = [];
  let sampling = true;
  const sampler = (async () => {
    for (; sampling; await sleep(SAMPLE_MS)) samples.push(sampleOf(fleet.program.pid));
  })();
  const { deaths, faults } = await torment({ stage, fleet, redis, server }, minutes * 60_000);
  sampling = false;
  await Promise.all([sampler, load.stop()]);
  await fleet.ready(3, 60_000);
  const growth = expectFlat(stage, samples);
  return {
    duplicatesAllowed: deaths * CONCURRENCY,
    note: `${minutes} min at ${perSecond.toFixed(0)}/s, ${faults} faults, ${deaths} deaths, ${growth}`,
  };
}

function minutesWanted(): number {
  const at = process.argv.indexOf('--minutes');
  return at < 0 ? DEFAULT_MINUTES : Number(process.argv[at + 1]);
}

async function halfOfMaximum(stage: Stage): Promise<number> {
  const count = 3_000;
  await stage.ledger.produce(count);
  const begun = performance.now();
  await waitFor(() => stage.server.ledger.delivered.size === count, { what: 'the warm-up', deadlineMs: 60_000 });
  return count / 2 / ((performance.now() - begun) / 1_000);
}

async function torment(target: Target, forMs: number): Promise<{ readonly deaths: number; readonly faults: number }> {
  const names = Object.keys(FAULTS);
  const until = performance.now() + forMs;
  let deaths = 0;
  let faults = 0;
  for (; performance.now() < until; faults++) {
    const name = names[Math.floor(Math.random() * names.length)] ?? '';
    const nextAt = performance.now() + FAULT_EVERY_MS;
    deaths += (await FAULTS[name]?.(target)) ?? 0;
    await sleep(Math.max(0, nextAt - performance.now()));
  }
  return { deaths, faults };
}

async function during(proxy: TcpProxy, mode: 'blackhole' | 'refuse', ms: number): Promise<number> {
  await proxy.setMode(mode);
  await sleep(ms);
  await proxy.setMode('pass');
  return 0;
}

async function signal(fleet: Fleet, name: NodeJS.Signals): Promise<number> {
  const pids = await pidsOf(fleet);
  const pid = pids[Math.floor(Math.random() * pids.length)];
  if (pid === undefined) return 0;
  try {
    sendSignal(pid, name);
    return 1;
  } catch {
    return 0; // died since we looked
  }
}

interface Sample {
  readonly bytes: number;
  readonly handles: number;
}

function sampleOf(pid: number): Sample {
  return { bytes: residentBytes(pid), handles: readdirSync(`/proc/${pid}/fd`).length };
}

/** Returns the growth of each in words. */
function expectFlat(stage: Stage, samples: readonly Sample[]): string {
  const found: string[] = [];
  const half = Math.floor(samples.length / 2);
  for (const what of ['bytes', 'handles'] as const) {
    const mean = (part: readonly Sample[]) => part.reduce((sum, sample) => sum + sample[what], 0) / part.length;
    const growth = mean(samples.slice(half)) / mean(samples.slice(0, half));
    stage.expect(growth <= MOST_GROWTH, `${what} of the primary grew to ${growth.toFixed(2)} times the first half`);
    found.push(`${what} × ${growth.toFixed(2)}`);
  }
  return found.join(', ');
}
