/** Rows 17 to 19: Redis dies, stays away, or answers no more. */
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../../support/wait-for.js';
import type { ProxyMode, TcpProxy } from '../../../support/tcp-proxy.js';
import { cpuShareDuring } from '../../support/process-stat.js';
import type { Findings, Row } from '../../support/row.js';
import { pidsOf, type Stage } from '../../support/stage.js';

const SETTINGS = { WORKER_COUNT: 2, WORKER_CONCURRENCY: 4 };
const ALWAYS = { appendonly: true, args: ['--appendfsync', 'always'] };
const OUTAGE_MS = 20_000;
/** More than one worker delivers in the time in which the other must come back, too. */
const SILENT_MESSAGES = 200;

export const REDIS_ROWS: readonly Row[] = [
  {
    id: '17a',
    fault: 'Redis killed under load and started again, appendfsync always',
    bound: 'every worker consumes < 2 s after PONG, 0 dup',
    limits: { recoveryMs: 2_000 },
    redis: ALWAYS,
    run: restart,
  },
  {
    id: '17b',
    fault: 'Redis killed under load and started again, appendfsync everysec',
    bound: 'every worker consumes < 2 s after PONG, dup ≤ what 1 s acknowledges (400)',
    limits: { recoveryMs: 2_000, duplicates: 400 },
    redis: { appendonly: true, args: ['--appendfsync', 'everysec'] },
    run: restart,
  },
  {
    id: '18a',
    fault: 'Redis away for 20 s (for 10 min) in the middle of work',
    bound: '≤ 1 log line/s, each process < 2 % CPU, every worker consumes < 2 s after, 0 dup',
    limits: { recoveryMs: 2_000 },
    redis: ALWAYS,
    run: awayMidRun,
  },
  {
    id: '18b',
    fault: 'Redis away at boot for 20 s (for 10 min)',
    bound: 'nobody exits, ≤ 1 log line/s, each process < 2 % CPU, every worker consumes < 2 s after',
    limits: { recoveryMs: 2_000 },
    redis: ALWAYS,
    run: awayAtBoot,
  },
  {
    id: '19a',
    fault: 'Redis frozen for 8 s (SIGSTOP)',
    bound: 'every worker consumes ≤ 2 s after it thaws, 0 dup',
    limits: { recoveryMs: 2_000 },
    run: freeze,
  },
  {
    id: '19b',
    fault: 'half-open: the old sockets to Redis fall silent for good',
    bound: 'no worker deaf for more than BLOCK (2 s) + 2 s, 0 dup',
    limits: { recoveryMs: 4_000 },
    run: halfOpen,
  },
  {
    id: '19c',
    fault: 'network to Redis drops everything for 8 s, under load',
    bound: 'every worker consumes ≤ 2 s after it ends, 0 dup',
    limits: { recoveryMs: 2_000 },
    run: (stage) => outages(stage, [[['blackhole', 8_000]]]),
  },
  {
    id: '19d',
    fault: 'Redis refused, black, reset, closed in turn and into one another, from every state of the client',
    bound: 'every worker consumes ≤ 2 s after each, 0 dup',
    limits: { recoveryMs: 2_000 },
    run: (stage) =>
      outages(stage, [
        [['refuse', 1_500]],
        [['blackhole', 2_300]],
        [['reset', 900]],
        [['fin', 1_100]],
        // black while it waits to reconnect, then reset while it connects, then refused again
        [
          ['refuse', 300],
          ['blackhole', 2_600],
          ['reset', 200],
          ['refuse', 700],
        ],
        // cut off while it shakes hands
        [
          ['blackhole', 600],
          ['fin', 100],
        ],
      ]),
  },
  {
    id: '19e',
    fault: 'replies of Redis cut in the middle by RST, 20 times under load',
    bound: '0 dup',
    run: cutReplies,
  },
];

async function restart(stage: Stage): Promise<Findings> {
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 20;
  await stage.ledger.produce(2_000);
  await waitFor(() => stage.server.ledger.posts > 100, { what: 'load' });
  await stage.redis.kill();
  await stage.redis.restart(); // resolves at the first PONG; the scripts are gone from it
  return everyWorkerIsBack(stage);
}

/** From now, the end of a fault, until each worker has POSTed. */
async function everyWorkerIsBack(stage: Stage): Promise<{ readonly recoveryMs: number }> {
  const backAt = performance.now();
  return { recoveryMs: (await stage.everyWorkerPosts(backAt, SETTINGS.WORKER_COUNT)) - backAt };
}

async function awayMidRun(stage: Stage): Promise<Findings> {
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 200;
  await stage.ledger.produce(500);
  await waitFor(() => stage.server.ledger.posts > 20 && stage.openPosts().length === 8, { what: 'POSTs under way' });
  await stage.redis.kill();
  await waitFor(() => stage.openPosts().length === 0, { what: 'the answers' });
  await expectPatience(stage, [fleet.program.pid, ...(await pidsOf(fleet))]);
  stage.server.faults.post.delayMs = 50;
  await stage.redis.restart();
  return everyWorkerIsBack(stage);
}

async function awayAtBoot(stage: Stage): Promise<Findings> {
  stage.server.faults.post.delayMs = 50;
  await stage.ledger.produce(100);
  await stage.redis.kill();
  const fleet = await stage.start(SETTINGS);
  await fleet.until('a status', ({ workers }) => workers.every(({ pid }) => pid !== null));
  await sleep(12_000); // past the 10 s a child waits for Redis at its boot
  await expectPatience(stage, [fleet.program.pid, ...(await pidsOf(fleet))], OUTAGE_MS - 12_000);
  stage.expect(fleet.program.exit === undefined, 'the primary has exited');
  await stage.redis.restart();
  return everyWorkerIsBack(stage);
}

/** Few words and little CPU while Redis is away. */
async function expectPatience(stage: Stage, pids: readonly number[], ms = OUTAGE_MS): Promise<void> {
  const [program] = stage.programs;
  const before = program?.lines.length ?? 0;
  const share = (await cpuShareDuring(pids, () => sleep(ms))) / pids.length;
  const perSecond = ((program?.lines.length ?? 0) - before) / (ms / 1_000);
  stage.expect(share < 0.02, `${(share * 100).toFixed(1)} % CPU per process`);
  stage.expect(perSecond <= 1, `${perSecond.toFixed(1)} log lines a second, all processes together`);
}

async function freeze(stage: Stage): Promise<Findings> {
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 20;
  await stage.ledger.produce(1_500);
  await waitFor(() => stage.server.ledger.posts > 50, { what: 'load' });
  stage.redis.freeze();
  await sleep(8_000);
  stage.redis.thaw();
  return everyWorkerIsBack(stage);
}

async function throughProxy(stage: Stage): Promise<TcpProxy> {
  const proxy = await stage.proxy(stage.redis.port);
  const fleet = await stage.start({ ...SETTINGS, REDIS_PORT: proxy.port });
  await fleet.ready(2);
  return proxy;
}

async function halfOpen(stage: Stage): Promise<Findings> {
  const proxy = await throughProxy(stage);
  stage.server.faults.post.delayMs = 50;
  let slowest = 0;
  for (let round = 0; round < 3; round++) {
    proxy.silenceConnections();
    const silentAt = performance.now();
    await stage.ledger.produce(SILENT_MESSAGES);
    slowest = Math.max(slowest, (await stage.everyWorkerPosts(silentAt, SETTINGS.WORKER_COUNT)) - silentAt);
    await waitFor(() => stage.server.ledger.delivered.size === SILENT_MESSAGES * (round + 1), {
      what: 'delivery',
      deadlineMs: 15_000,
    });
  }
  return { recoveryMs: slowest };
}

/** Each outage is one mode after the other without a break. */
async function outages(stage: Stage, all: readonly (readonly (readonly [ProxyMode, number])[])[]): Promise<Findings> {
  const proxy = await throughProxy(stage);
  stage.server.faults.post.delayMs = 20;
  await stage.ledger.produce(1_000);
  let slowest = 0;
  for (const outage of all) {
    for (const [mode, ms] of outage) {
      await proxy.setMode(mode);
      await sleep(ms);
    }
    await stage.ledger.produce(SILENT_MESSAGES);
    await proxy.setMode('pass');
    slowest = Math.max(slowest, (await everyWorkerIsBack(stage)).recoveryMs);
  }
  return { recoveryMs: slowest };
}

async function cutReplies(stage: Stage): Promise<Findings> {
  const proxy = await throughProxy(stage);
  await stage.ledger.produce(2_000);
  for (let cut = 0; cut < 20; cut++) {
    const before = stage.server.ledger.posts;
    proxy.cutAfter(1 + Math.floor(Math.random() * 3_000));
    await waitFor(() => stage.server.ledger.posts >= before + 20 || stage.server.ledger.delivered.size === 2_000, {
      what: 'work between the cuts',
      deadlineMs: 10_000,
    });
  }
  return {};
}
