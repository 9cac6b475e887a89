/** Every part of the primary that has a life, each with what it really talks to: Redis, /bin/sh, forked children. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { NOTHING_COUNTED } from '../../src/domain/history/book.js';
import type { Presence } from '../../src/domain/fleet/member.js';
import type { Config } from '../../src/shared/config/config.js';
import { packageRoot } from '../../src/shared/config/package-root.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { Wake } from '../../src/shared/time/wake.js';
import { processName } from '../../supervisor/instances/instance.js';
import { InstanceNotice } from '../../supervisor/instances/notice.js';
import { Composition } from '../../supervisor/primary/composition.js';
import { Pidfile } from '../../supervisor/primary/pidfile.js';
import { ReconcileLoop } from '../../supervisor/primary/reconcile-loop.js';
import { ServiceNotifier } from '../../supervisor/primary/sd-notify.js';
import { SignalInbox } from '../../supervisor/primary/signals.js';
import { Burials } from '../../supervisor/queue/burials.js';
import { ClaimRecovery } from '../../supervisor/queue/claim-recovery.js';
import { QueueAccess, type QueueSettings } from '../../supervisor/queue/queue-access.js';
import { DeadLetterExpiry } from '../../supervisor/queue/dead-letter-expiry.js';
import { FailureSweeper } from '../../supervisor/queue/failure-sweeper.js';
import { FleetKeeping } from '../../supervisor/queue/fleet-keeping.js';
import { FoundLists } from '../../supervisor/queue/found-lists.js';
import { HistoryKeeping } from '../../supervisor/queue/history-keeping.js';
import { QueueMonitor } from '../../supervisor/queue/queue-monitor.js';
import { forkChild, prepareForks } from '../../supervisor/workers/process/forked-child.js';
import { OrphanGuardian } from '../../supervisor/workers/process/orphan-guardian.js';
import { ResourceMonitor } from '../../supervisor/workers/resource-monitor.js';
import { WorkerPool } from '../../supervisor/workers/worker-pool.js';
import { testConfig } from '../support/program/config.js';
import { conformsToLife } from '../support/life.js';
import { useRedis } from '../support/redis/redis.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { HANGS_MS, waitFor } from '../support/wait-for.js';
import { recordedLog } from '../unit/supervisor/recorded-log.js';

const redis = useRedis();
const clock = systemClock;
const childEntry = join(packageRoot, 'test/process/fixtures/scripted-worker.mjs');
const noChild = join(packageRoot, 'test/process/fixtures/there-is-none.mjs');
const CHANCE = { random: () => 0.5, nonce: () => 'abc', bootAtOnce: 2 };

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'lives-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const reachable = (): QueueSettings => testConfig({ redis: { port: redis.port } });
const unreachable = (): QueueSettings => testConfig({ redis: { port: 1 } });
const unreadable = (): QueueSettings =>
  testConfig({ redis: { port: redis.port, tls: true, tlsCaFile: join(folder, 'no-ca.crt') } });

conformsToLife({ name: 'the inbox of signals', make: () => new SignalInbox(clock, () => undefined) });

conformsToLife({
  name: 'the pidfile',
  make: () => new Pidfile({ runtimeDir: join(folder, 'run'), port: 1 }),
  makeFailing: () => {
    writeFileSync(join(folder, 'no-folder'), '');
    return new Pidfile({ runtimeDir: join(folder, 'no-folder'), port: 1 });
  },
});

conformsToLife({
  name: 'the word to systemd',
  make: () => {
    const environment = { NOTIFY_SOCKET: join(folder, 'notify'), WATCHDOG_USEC: '30000000' };
    return new ServiceNotifier({ environment, log: recordedLog(), clock });
  },
});

conformsToLife({ name: 'the access to the queue', make: () => new QueueAccess({ clock, random: Math.random }) });

test('the access to the queue closes what was not given back', async () => {
  const access = new QueueAccess({ clock, random: Math.random });
  access.start();
  const [one, other] = [access.borrow(reachable()), access.borrow(unreachable())];
  await one.whenReady(HANGS_MS);
  expect(await one.queue.consumers()).toEqual([]);
  await access.stop();
  expect([one.isReady(), other.isReady()]).toEqual([false, false]);
  await expect(one.queue.consumers()).rejects.toThrow();
});

const monitorOf = ({ redis, queue }: QueueSettings) =>
  new QueueMonitor({
    access: new QueueAccess({ clock, random: Math.random }),
    settings: { ...testConfig(), redis, queue },
    log: recordedLog(),
    clock,
  });
conformsToLife({
  name: 'the monitor of the queue',
  make: () => monitorOf(reachable()),
  makeFailing: () => monitorOf(unreadable()),
});
conformsToLife({ name: 'the monitor of a queue that is away', make: () => monitorOf(unreachable()) });

const recoveryOf = (settings: QueueSettings) =>
  new ClaimRecovery({
    access: new QueueAccess({ clock, random: Math.random }),
    settings,
    burials: new Burials(),
    log: recordedLog(),
    clock,
  });
conformsToLife({
  name: 'the recovery of claims',
  make: () => recoveryOf(reachable()),
  makeFailing: () => recoveryOf(unreadable()),
});
conformsToLife({ name: 'the recovery of claims without Redis', make: () => recoveryOf(unreachable()) });

const foundListsOf = (settings: QueueSettings) => {
  const access = new QueueAccess({ clock, random: Math.random });
  return new FoundLists({ access, settings, id: 'a', log: recordedLog(), clock });
};
conformsToLife({ name: 'the look for lists that nobody knows', make: () => foundListsOf(reachable()) });
conformsToLife({ name: 'the look for lists without Redis', make: () => foundListsOf(unreachable()) });
conformsToLife({ name: 'the look for lists without an authority', make: () => foundListsOf(unreadable()) });

const sweeperOf = (settings: QueueSettings) => {
  const access = new QueueAccess({ clock, random: Math.random });
  const swept = { ...settings, worker: { retryIntervalMs: 30_000 } };
  return new FailureSweeper({ access, settings: swept, log: recordedLog(), clock });
};
conformsToLife({
  name: 'the sweep of failed attempts',
  make: () => sweeperOf(reachable()),
  makeFailing: () => sweeperOf(unreadable()),
});
conformsToLife({ name: 'the sweep of failed attempts without Redis', make: () => sweeperOf(unreachable()) });

const historyOf = (settings: QueueSettings) => {
  const access = new QueueAccess({ clock, random: Math.random });
  const arrivals = { look: () => undefined, forget: () => undefined };
  const counts = () => NOTHING_COUNTED;
  return new HistoryKeeping({
    access,
    settings,
    id: 'a',
    counts,
    isStandstill: () => false,
    arrivals,
    log: recordedLog(),
    clock,
  });
};
conformsToLife({ name: 'the keeping of the history', make: () => historyOf(reachable()) });
conformsToLife({ name: 'the keeping of the history without Redis', make: () => historyOf(unreachable()) });

const fleetOf = (settings: QueueSettings) => {
  const access = new QueueAccess({ clock, random: Math.random });
  const name = { host: 'here', instance: '1' };
  const presence = (): Presence => ({
    ...{ kind: 'supervisor', pid: 1, version: '2', state: 'running', isReady: true, uptimeSeconds: 1 },
    ...{ workersReady: 1, workersWanted: 1, deliveredPerSecond: 0, failedPerSecond: 0 },
  });
  return new FleetKeeping({ access, settings, name, id: 'a', presence, log: recordedLog(), clock });
};
conformsToLife({
  name: 'the word to the fleet',
  make: () => fleetOf(reachable()),
  makeFailing: () => fleetOf(unreadable()),
});
conformsToLife({ name: 'the word to the fleet without Redis', make: () => fleetOf(unreachable()) });

const expiryOf = (settings: QueueSettings): DeadLetterExpiry => {
  const access = new QueueAccess({ clock, random: Math.random });
  const audit = { note: async () => undefined };
  return new DeadLetterExpiry({ access, settings, id: 'a', audit, log: recordedLog(), clock });
};
const keptAWeek = (settings: QueueSettings) => ({ ...settings, queue: { ...settings.queue, deadLetterDays: 7 } });
conformsToLife({ name: 'the end of old dead letters', make: () => expiryOf(keptAWeek(reachable())) });
conformsToLife({ name: 'the end of old dead letters without Redis', make: () => expiryOf(keptAWeek(unreachable())) });

/** A part waits for Redis by the machine's clock, and tries again by the one that the test moves. */
async function connected(access: QueueAccess): Promise<void> {
  await access.borrow(reachable()).whenReady(HANGS_MS);
}

test('claims of a consumer that nobody knows are made known and said, at the start and every ten minutes', async () => {
  const log = recordedLog();
  const time = new VirtualClock();
  const access = new QueueAccess({ clock, random: Math.random });
  const part = new FoundLists({ access, settings: reachable(), id: 'a', log, clock: time });
  await connected(access);
  const said = async (consumer: string, passing: number) => {
    await time.advance(passing);
    return log.lines.some((line) => line.includes(`Found messages of ${consumer},`));
  };
  try {
    await redis.client.lpush('{message_queue}:processing:lost', 'claim');
    part.start();
    await waitFor(() => said('lost', 0), { what: 'the first to be said' });
    await redis.client.lpush('{message_queue}:processing:later', 'claim');
    expect(await said('later', 500_000)).toBe(false);
    await waitFor(() => said('later', 60_000), { what: 'the second to be said' });
  } finally {
    await part.stop();
    await access.stop();
  }
});

test('of three supervisors one searches, and when it stops another one', async () => {
  const access = new QueueAccess({ clock, random: Math.random });
  const time = new VirtualClock();
  const parts = ['a', 'b', 'c'].map((id) => {
    const log = recordedLog();
    return { log, part: new FoundLists({ access, settings: reachable(), id, log, clock: time }) };
  });
  await connected(access);
  const finders = (consumer: string) =>
    parts.filter(({ log }) => log.lines.some((line) => line.includes(`Found messages of ${consumer},`)));
  const calls = async (command: string) => {
    const stats = await redis.client.info('commandstats');
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  };
  try {
    const [before, asked] = [await calls('scan'), await calls('get')];
    await redis.client.lpush('{message_queue}:processing:lost', 'claim');
    for (const { part } of parts) part.start();
    await waitFor(() => finders('lost').length > 0, { what: 'the first to be said' });
    const [holder] = finders('lost');
    // each has asked several times who has the search
    const haveAsked = async () => (await calls('get')) >= asked + 9;
    await waitFor(() => time.advance(10_000).then(haveAsked), { what: 'the turns of the others' });
    expect(await calls('scan')).toBe(before + 1);
    await holder!.part.stop();
    await redis.client.lpush('{message_queue}:processing:later', 'claim');
    await waitFor(() => time.advance(10_000).then(() => finders('later').length > 0), { what: 'another one' });
    expect(finders('later')).toHaveLength(1);
    expect(finders('later')[0]).not.toBe(holder);
  } finally {
    for (const { part } of parts) await part.stop();
    await access.stop();
  }
  expect(await redis.client.exists('{message_queue}:searcher')).toBe(0);
});

function poolOf(entry: string): WorkerPool {
  prepareForks(entry);
  const log = recordedLog();
  const ignore = () => undefined;
  const config = testConfig({ worker: { count: 2 } });
  return new WorkerPool({
    ...CHANCE,
    config,
    log,
    clock,
    fork: () => forkChild(log),
    onChange: ignore,
    onGone: ignore,
  });
}
conformsToLife({ name: 'the pool of workers', make: () => poolOf(childEntry), makeFailing: () => poolOf(noChild) });

conformsToLife({
  name: 'the monitor of resources',
  make: () => {
    const none = { pids: () => [process.pid], limitBytes: () => 0, onBloated: () => undefined };
    return new ResourceMonitor({ ...none, log: recordedLog(), clock });
  },
});

conformsToLife({
  name: 'the file by which commands find it',
  make: () => {
    const instance = { process: processName(), port: 9099, queue: 'q', directory: folder, socket: join(folder, 's') };
    const none = { config_file: null, env_file: null, version: '1' };
    return new InstanceNotice({ places: [folder], instance: { ...instance, ...none }, log: recordedLog(), clock });
  },
});

conformsToLife({
  name: 'the guardian of orphans',
  make: () => new OrphanGuardian({ entry: childEntry, log: recordedLog(), clock }),
});

conformsToLife({
  name: 'the reconcile loop',
  make: () =>
    new ReconcileLoop({
      clock,
      wake: new Wake(clock),
      signals: { take: () => [] },
      control: { act: () => undefined, giveUpIfFatal: () => undefined },
      pool: { reconcile: () => undefined, processes: [], stopping: false, dueInMs: () => Infinity },
      guardian: { watch: () => undefined },
      resources: { notice: () => undefined },
      operations: { startIfDue: () => undefined, dueInMs: () => Infinity },
      status: { state: 'starting', summary: '' },
      notifier: { round: () => undefined },
    }),
});

function primaryOf(settings: QueueSettings): { readonly primary: Composition; readonly config: Config } {
  prepareForks(childEntry);
  const log = recordedLog();
  const config = testConfig({ ...settings, worker: { count: 2 }, supervisor: { runtimeDir: folder } });
  const loaded = { config, sources: { configFile: undefined, envFile: undefined }, environment: {}, warnings: [] };
  const surroundings = { ...CHANCE, environment: {}, log, clock, fork: () => forkChild(log) };
  const origin = { schema_version: 1, directory: folder, flags: {}, environment: {}, config: null };
  return { primary: new Composition({ ...surroundings, loaded, reload: () => loaded, origin, childEntry }), config };
}

conformsToLife({
  name: 'the primary',
  make: () => primaryOf(reachable()).primary,
  makeFailing: () => primaryOf(unreadable()).primary,
});

test('the primary ends when it is told to, and all that it started with it', async () => {
  const { primary } = primaryOf(reachable());
  await primary.start();
  await waitFor(() => existsSync(join(folder, 'supervisor-0.sock')), { what: 'the control socket' });
  process.emit('SIGTERM');
  await primary.ended;
  await primary.stop();
  expect(primary.exitCode).toBe(0);
  expect(existsSync(join(folder, 'supervisor-0.sock'))).toBe(false);
});
