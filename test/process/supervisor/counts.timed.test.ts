import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import type { StatusDocument } from '../../../supervisor/status/status-document.js';
import { useInstallation, type Fleet } from '../../support/program/fleet.js';
import { QUEUE } from '../../support/redis/queue.js';
import { waitFor } from '../../support/wait-for.js';

vi.setConfig({ testTimeout: 240_000 });
const installation = useInstallation();
const { ledger, start } = installation;
/** Ended after each test, whatever came of it. */
const running: { stop(): Promise<unknown> }[] = [];
afterEach(() => Promise.all(running.splice(0).map((each) => each.stop())));
const DEADLINE_MS = 60_000;
const COUNTS = ['processed', 'delivered', 'failed', 'retried'] as const;

test('scaling 3 → 1 → 3 and another WORKER_ID let no count fall, and lose none', async () => {
  const fleet = await start({ WORKER_COUNT: 3, WORKER_CONCURRENCY: 2 });
  await fleet.ready(3, DEADLINE_MS);
  const watch = watchCounts(fleet);
  const load = keepBusy();
  await watch.counted();
  for (const signal of ['SIGTTOU', 'SIGTTIN'] as const) {
    fleet.program.signal(signal);
    await fleet.ready(2, DEADLINE_MS);
    fleet.program.signal(signal);
    await fleet.ready(signal === 'SIGTTOU' ? 1 : 3, DEADLINE_MS);
    await watch.looks(3);
  }
  fleet.configure({ WORKER_COUNT: 3, WORKER_CONCURRENCY: 2, WORKER_ID: 'renamed' });
  fleet.program.signal('SIGHUP');
  await fleet.program.waitForLine(/Reload finished/, DEADLINE_MS);
  await watch.looks(3);
  await load.stop();
  const { delivered } = await ledger.quiet(DEADLINE_MS);
  await fleet.until('all to be counted', ({ totals }) => totals.delivered === delivered, DEADLINE_MS);
  await watch.looks(2);
  expect(await watch.stop()).toEqual([]);
  expect(sumOf(await fleet.get('/metrics/workers'), 'worker_messages_delivered_total')).toBe(delivered);
});

test('a kill lets no count fall', async () => {
  const fleet = await start({ WORKER_COUNT: 2, WORKER_CONCURRENCY: 2 });
  const [victim] = await fleet.ready(2, DEADLINE_MS);
  const watch = watchCounts(fleet);
  const load = keepBusy();
  await watch.counted();
  process.kill(victim?.pid ?? 0, 'SIGKILL');
  await fleet.until(
    'the restart',
    ({ workers }) => workers[0]?.restarts === 1 && workers[0].state === 'ready',
    DEADLINE_MS,
  );
  await watch.looks(3);
  await load.stop();
  await ledger.quiet(DEADLINE_MS);
  expect(await watch.stop()).toEqual([]);
});

test('exactly half of the attempts fail, whatever is buried', async () => {
  const fleet = await start({ WORKER_COUNT: 1, WORKER_MAX_ATTEMPTS: 1, WORKER_RETRY_INTERVAL: 1 });
  await fleet.ready(1, DEADLINE_MS);
  const { server } = installation;
  const failing = new Set<string>();
  server.onPost = (id) => void (server.faults.post.status = failing.has(id) ? 500 : undefined);
  for (const [at, id] of (await ledger.produce(40)).entries()) if (at % 2 === 0) failing.add(id);
  const isSettled = ({ queue, totals }: StatusDocument) => queue.dead === 20 && totals.processed === 40;
  const { workers, totals } = await fleet.until('all to be settled', isSettled, DEADLINE_MS);
  expect(totals).toMatchObject({ processed: 40, delivered: 20, failed: 20 });
  expect(workers[0]).toMatchObject({ processed: 40, delivered: 20, failed: 20 });
  const text = await fleet.get('/metrics/workers');
  expect(text).toMatch(/^worker_messages_failed_total\{worker_id="worker-1",reason="http_500"\} 20$/m);
  expect(text).toMatch(/^worker_messages_failed_total\{worker_id="worker-1",reason="max_attempts_exceeded"\} 20$/m);
});

interface CountWatch {
  /** Resolves when deliveries have been seen. */
  counted(): Promise<void>;
  /** Resolves after so many more looks. */
  looks(more: number): Promise<void>;
  /** What fell or vanished. */
  stop(): Promise<readonly string[]>;
}

/** Reads /metrics/workers and /status all the while; notes each count that is less than it was, or missing. */
function watchCounts(fleet: Fleet): CountWatch {
  const most = new Map<string, number>();
  const fallen: string[] = [];
  let [looks, stopped] = [0, false];
  const look = async (): Promise<void> => {
    const [text, status] = await Promise.all([fleet.get('/metrics/workers'), fleet.status()]);
    const series = seriesOf(text);
    for (const [name, before] of most) {
      const now = series.get(name);
      if (name.startsWith('worker_') && now === undefined) fallen.push(`${name} ${before} → nothing`);
    }
    for (const [name, now] of [...series, ...countsOf(status)]) {
      const before = most.get(name) ?? 0;
      if (now < before) fallen.push(`${name} ${before} → ${now}`);
      most.set(name, now);
    }
    looks += 1;
  };
  const looking = (async () => {
    while (!stopped) {
      await look();
      await sleep(50);
    }
  })();
  const looksFrom = (wanted: number) =>
    waitFor(() => looks >= wanted, { what: `look ${wanted} at the counts`, deadlineMs: DEADLINE_MS });
  const watch: CountWatch = {
    counted: async () =>
      void (await waitFor(() => (most.get('status delivered') ?? 0) > 50, { what: 'counts', deadlineMs: DEADLINE_MS })),
    looks: async (more) => void (await looksFrom(looks + more)),
    async stop() {
      stopped = true;
      await looking;
      return fallen.slice(0, 20);
    },
  };
  running.push(watch);
  return watch;
}

/** Counters and histograms, by name and labels; the gauges are left out. */
function seriesOf(text: string): Map<string, number> {
  const growing = [...text.matchAll(/^# TYPE (\S+) (?:counter|histogram)$/gm)].map(([, name]) => name ?? '');
  const lines = [...text.matchAll(/^([a-z_]+)(\{.*\})? (\S+)$/gm)];
  return new Map(
    lines
      .filter(([, name = '']) => growing.includes(name.replace(/_(?:bucket|sum|count)$/, '')) || growing.includes(name))
      .map(([, name, labels = '', value]) => [`${name}${labels}`, Number(value)]),
  );
}

/** Of a worker by its slot, since a reload may rename it. */
function countsOf({ totals, workers }: StatusDocument): [string, number][] {
  return COUNTS.flatMap((count): [string, number][] => [
    [`status ${count}`, totals[count]],
    ...workers.map(({ id, ...worker }): [string, number] => [`status ${/\d+$/.exec(id)?.[0]} ${count}`, worker[count]]),
  ]);
}

function sumOf(text: string, name: string): number {
  return [...seriesOf(text)]
    .filter(([series]) => series.startsWith(`${name}{`))
    .reduce((sum, [, value]) => sum + value, 0);
}

/** Some messages, and more as soon as they are taken. */
function keepBusy(): { stop(): Promise<void> } {
  let stopped = false;
  const queueIsEmpty = async () => stopped || (await installation.redis.client.llen(QUEUE)) === 0;
  const producing = (async () => {
    while (!stopped) {
      await ledger.produce(10);
      await sleep(30);
      await waitFor(queueIsEmpty, { what: 'the queue to be empty', deadlineMs: DEADLINE_MS });
    }
  })();
  const load = {
    async stop() {
      stopped = true;
      await producing;
    },
  };
  running.push(load);
  return load;
}
