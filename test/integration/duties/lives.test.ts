import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, test } from 'vitest';
import { FlowControl } from '../../../src/domain/flow/flow-control.js';
import { FleetSeat } from '../../../src/domain/flow/fleet-share.js';
import { Pace } from '../../../src/domain/flow/pace.js';
import { createBurialTeller } from '../../../src/duties/burial-teller.js';
import { createCertificateWatch } from '../../../src/duties/certificate-watch.js';
import { FailureCounts } from '../../../src/duties/failure-counts.js';
import { createFailureSweep } from '../../../src/duties/failure-sweep.js';
import { createFleetShareDuty } from '../../../src/duties/fleet/fleet-share.js';
import { createEvictionWatch } from '../../../src/duties/eviction-watch.js';
import { createFleetPresence } from '../../../src/duties/fleet/presence.js';
import { createFoundListsDuty } from '../../../src/duties/found-lists.js';
import { createHistoryWriting } from '../../../src/duties/history-writing.js';
import { createLeaseRenewal } from '../../../src/duties/lease-renewal.js';
import { createMetricsServer } from '../../../src/duties/metrics-server.js';
import { createRecoverer } from '../../../src/duties/recoverer.js';
import { createRetryScheduler } from '../../../src/duties/retry-scheduler.js';
import type { RedisQueue } from '../../../src/queue/claims/claims-and-settlements.js';
import { createWorkerMetrics } from '../../../src/shared/metrics/worker-metrics.js';
import { momentOf } from '../../../src/shared/time/deadline.js';
import { systemClock as clock } from '../../../src/shared/time/clock.js';
import { Heartbeat } from '../../../src/worker/heartbeat.js';
import { Copies } from '../../../src/worker/attempt/copies.js';
import { Held } from '../../../src/worker/attempt/held.js';
import { StatusUpdates } from '../../../src/worker/attempt/status-updates.js';
import { PauseWatch } from '../../../src/worker/loop/pause-watch.js';
import { StatusPlaces } from '../../../src/worker/loop/status-places.js';
import { WorkLoop } from '../../../src/worker/loop/work-loop.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { conformsToLife } from '../../support/life.js';
import { message, openQueue, QUEUE } from '../../support/redis/queue.js';
import { recordedLog } from '../../support/recorded-log.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { ScriptedMainServer } from '../../support/main-server/scripted-main-server.js';

expectNoLeftovers();
const redis = useRedis();
const log = recordedLog();
const metrics = createWorkerMetrics('worker-1');
const QUEUED = { status: 'queued', attemptCount: 1, errorMessage: 'HTTP 500' } as const;
let queue: RedisQueue;
let takenPort: Server;

beforeAll(async () => {
  queue = await openQueue(redis.port);
  takenPort = createServer().listen(0, '127.0.0.1');
  await once(takenPort, 'listening');
});
afterAll(async () => {
  takenPort.close();
  await queue.stop();
  metrics.registry.clear();
});

conformsToLife({ name: 'the lease renewal', make: () => createLeaseRenewal({ queue, clock, log }) });

conformsToLife({
  name: 'the writing of the history',
  make: () => {
    const written = { ...queue.background, isReady: () => queue.isReady() };
    return createHistoryWriting({ queue: written, writer: 'w', counts: () => metrics.totals(), clock, log });
  },
});

conformsToLife({
  name: 'the word to the fleet',
  make: () =>
    createFleetPresence({
      queue: { ...queue.background, isReady: () => queue.isReady() },
      name: { host: 'here', instance: '1' },
      writer: 'w',
      presence: () => ({
        ...{ kind: 'worker', pid: 1, version: '2', state: 'running', isReady: true, uptimeSeconds: 1 },
        ...{ workersReady: 1, workersWanted: 1, deliveredPerSecond: 0, failedPerSecond: 0 },
      }),
      clock,
      log,
    }),
});

conformsToLife({
  name: 'the counts of what fails',
  make: () => new FailureCounts({ retryIntervalMs: 30_000, queue: queue.background, metrics, clock, log }),
});

conformsToLife({
  name: 'the sweep of failed attempts',
  make: () => createFailureSweep({ queue: queue.background, retryIntervalMs: 30_000, clock, log }),
});

conformsToLife({
  name: 'the sharing of a cap',
  make: () => createFleetShareDuty({ queue, seat: new FleetSeat(4), cap: 4, clock, log }),
});

conformsToLife({
  name: 'the watch on the eviction policy',
  make: () => createEvictionWatch({ queue, onPolicy: () => undefined, clock, log }),
});

conformsToLife({
  name: 'the retry scheduler',
  make: () => createRetryScheduler({ queue: queue.background, retryIntervalMs: 30_000, clock, log }),
});

conformsToLife({
  name: 'the recoverer',
  make: () => createRecoverer({ queue: queue.background, ownConsumer: () => queue.consumer, clock, log }),
});

conformsToLife({
  name: 'the search for lists that nobody knows',
  make: () => {
    const searched = { ...queue.background, isReady: () => queue.isReady() };
    return createFoundListsDuty({ queue: searched, id: 'a', clock, log });
  },
});

test('a worker without a supervisor finds lists that nobody knows', async () => {
  const said = recordedLog();
  await redis.client.lpush(`{${QUEUE}}:processing:lost`, 'claim');
  const searched = { ...queue.background, isReady: () => queue.isReady() };
  const duty = createFoundListsDuty({ queue: searched, id: 'b', clock, log: said });
  await duty.start();
  await waitFor(() => said.count(/Found messages of lost,/) === 1, { what: 'it to be said' });
  await duty.stop();
});

conformsToLife({
  name: 'the watch on the pause',
  make: () => new PauseWatch({ queue, isAlone: true, clock, log }),
});

conformsToLife({
  name: 'the teller of burials',
  make: () =>
    createBurialTeller({
      queue: queue.background,
      tell: () => Promise.resolve(undefined),
      places: () => 8,
      mayTell: () => Promise.resolve(true),
      timeoutMs: 1_000,
      clock,
      random: Math.random,
      log,
    }),
});

conformsToLife({
  name: 'the certificate watch',
  make: () => {
    const current = { notAfter: [{ file: tmpdir(), notAfter: clock.wallNow() }] };
    const certificates = {
      current,
      stamp: () => '1',
      read: () => current,
      isCurrent: () => true,
      use: () => undefined,
    };
    return createCertificateWatch({ certificates, stampWhenRead: '1', intervalMs: 10, clock, log });
  },
});

const metricsServerOn = (port: number) =>
  createMetricsServer({ host: '127.0.0.1', port, enabled: true, registry: metrics.registry, clock, log });

conformsToLife({
  name: 'the metrics server',
  make: () => metricsServerOn(0),
  makeFailing: () => metricsServerOn((takenPort.address() as { port: number }).port),
});

conformsToLife({
  name: 'the heartbeat',
  make: () =>
    new Heartbeat({
      worker: {
        beat: () => {
          throw new Error('no loop turns');
        },
        counts: () => Promise.resolve({ metrics: [], failures: [] }),
      },
      tell: () => Promise.resolve(),
      clock,
    }),
});

conformsToLife({
  name: 'the status updates, which live from the first on',
  make: () => {
    const server = new ScriptedMainServer(); // answers nothing
    const updates = new StatusUpdates({
      server,
      copies: new Copies(),
      retryIntervalMs: 30_000,
      places: new StatusPlaces(),
      clock,
      log,
    });
    return {
      start: () => updates.send('m', QUEUED, momentOf(clock)),
      stop: () => updates.stop(),
    };
  },
});

const workLoopOf = (raws: readonly string[]) => async () => {
  if (raws.length > 0) await redis.client.lpush(QUEUE, ...raws);
  const server = new ScriptedMainServer();
  const fleet = new FleetSeat();
  const limits = { concurrency: 4, batchSize: 4 };
  const pace = new Pace(0, fleet);
  const flow = new FlowControl({
    ...limits,
    control: 'fixed',
    share: fleet,
    pace,
    random: () => 0,
    loopBusyMs: () => 0,
  });
  return new WorkLoop({
    queue,
    attempts: {
      run: (claim, signal) =>
        new Promise((resolve) => {
          const handBack = () => resolve({ settlement: { kind: 'hand-back', claim } });
          if (signal.aborted) handBack();
          else signal.addEventListener('abort', handBack);
        }),
    },
    statusUpdates: new StatusUpdates({
      server,
      copies: new Copies(),
      retryIntervalMs: 30_000,
      places: new StatusPlaces(),
      clock,
      log,
    }),
    statusPlaces: new StatusPlaces(),
    copies: new Copies(),
    held: new Held(clock),
    server,
    flow,
    breaker: flow.breaker,
    fleet,
    pause: new PauseWatch({ queue, isAlone: true, clock, log }),
    pace,
    limits,
    metrics,
    clock,
    log,
    onTurn: () => undefined,
  });
};

conformsToLife({ name: 'the work loop, waiting for a message', make: workLoopOf([]) });

conformsToLife({
  name: 'the work loop, delivering',
  make: workLoopOf(['a', 'b', 'c'].map((id) => message(id))),
});
