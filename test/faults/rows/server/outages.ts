/** Row 24: the main server is away. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from '../../../support/program/fleet.js';
import { attemptCountOf } from '../../../support/ledger.js';
import { waitFor } from '../../../support/wait-for.js';
import type { Findings, Row } from '../../support/row.js';
import type { Stage } from '../../support/stage.js';
import { CONCURRENCY, failuresIn, SETTINGS } from './failures.js';

const OUTAGE_MS = 15_000;
const BREAKER =
  'open ≤ 10 failures, no attempt burnt after, a probe ≤ 5 s and ≥ 4 s after the last, every worker claims again ≤ 5.5 s after it ends';
/** What a timer and the way to the server may add to the 5 s between two probes. */
const PROBE_SLACK_MS = 300;

export const OUTAGE_ROWS: readonly Row[] = [
  {
    id: '24a',
    fault: 'main server refuses connections for 15 s (for 1 h)',
    bound: BREAKER,
    limits: { recoveryMs: 5_500 },
    run: refused,
  },
  {
    id: '24b',
    fault: 'main server answers 503 for 15 s (for 1 h)',
    bound: BREAKER,
    limits: { recoveryMs: 5_500 },
    run: unavailable,
  },
  {
    id: '24d',
    fault: 'main server under a name that no DNS knows, mended by SIGHUP',
    bound: 'open ≤ 10 failures, no attempt burnt',
    run: unknownHost,
  },
  {
    id: '24e',
    fault: 'main server away, and one worker alone delivers all that waits when it is back',
    bound: 'the other is ready, too: probe ≤ 5 s, beat 1 s',
    limits: { recoveryMs: 6_500 },
    run: emptiedByAnother,
  },
];

/** Failures of workers whose circuit breaker opens after ten: ten, and what else was in flight. */
const MOST_FAILURES = 2 * (10 + CONCURRENCY - 1);

async function refused(stage: Stage): Promise<Findings> {
  const proxy = await stage.proxy(stage.server.port);
  const fleet = await stage.start({ ...SETTINGS, MAIN_SERVER_URL: `https://localhost:${proxy.port}` });
  await fleet.ready(2);
  return outage(stage, fleet, {
    begin: () => proxy.setMode('refuse'),
    end: () => proxy.setMode('pass'),
  });
}

async function unavailable(stage: Stage): Promise<Findings> {
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  const { faults } = stage.server;
  return outage(stage, fleet, {
    begin: async () => {
      faults.post.status = 503;
      faults.health = 'unhealthy';
    },
    end: async () => {
      faults.post.status = undefined;
      faults.health = 'healthy';
    },
  });
}

interface Outage {
  begin(): Promise<void>;
  end(): Promise<void>;
}

async function outage(stage: Stage, fleet: Fleet, { begin, end }: Outage): Promise<Findings> {
  await begin();
  await stage.ledger.produce(200);
  await fleet.until('open breakers', ({ workers }) => workers.every(({ breaker }) => breaker !== 'closed'));
  const failures = failuresIn(fleet);
  stage.expect(failures <= MOST_FAILURES, `${failures} failures before the breakers opened`);
  const openAt = performance.now();
  await sleep(OUTAGE_MS);
  const { waiting, retry } = await stage.ledger.snapshot();
  // what was in flight when they opened may have come in since; nothing is tried while /health is as bad
  stage.expect(failuresIn(fleet) <= MOST_FAILURES, `${failuresIn(fleet)} failures in ${OUTAGE_MS / 1_000} s`);
  const counts = [...waiting, ...retry].map((raw) => Number(attemptCountOf(raw)));
  const spent = counts.reduce((sum, count) => sum + count, 0);
  stage.expect(spent <= MOST_FAILURES, `${spent} attempts spent, ${MOST_FAILURES} at most before the breakers opened`);
  stage.expect(Math.max(...counts) <= 1, 'a message lost more than one attempt');
  expectProbes(stage, openAt);
  await end();
  const endedAt = performance.now();
  const load = stage.load(100); // a breaker closes by the outcome of a message
  await closedBreakers(fleet, 2);
  const recoveryMs = performance.now() - endedAt;
  await load.stop();
  return { recoveryMs, note: `${failures} failures` };
}

/** By the log: a status is up to a second old, as the beats that it is made of. */
async function closedBreakers({ program }: Fleet, count: number): Promise<void> {
  const closed = () => program.lines.filter(({ text }) => /Main server can be reached again/.test(text)).length;
  await waitFor(() => closed() >= count, { what: 'closed breakers', deadlineMs: 15_000 });
}

/** Where the main server can count them: two workers probe each 4 to 5 s, not in step. */
function expectProbes(stage: Stage, since: number): void {
  const probes = stage.server.ledger.probedAt.filter((at) => at > since).map((at) => at - since);
  if (stage.server.faults.health === 'healthy') return; // nothing gets through to it
  const gaps = [0, ...probes, OUTAGE_MS].map((at, index, all) => at - (all[index - 1] ?? 0));
  const longest = Math.max(...gaps);
  stage.expect(longest <= 5_000 + PROBE_SLACK_MS, `no probe for ${longest.toFixed(0)} ms`);
  const most = 2 * (OUTAGE_MS / 4_000 + 1);
  stage.expect(probes.length <= most, `${probes.length} probes in ${OUTAGE_MS} ms, ${most} at most`);
}

/** A worker that finds nothing to try must not call itself cut off until the next message comes. */
async function emptiedByAnother(stage: Stage): Promise<Findings> {
  const proxy = await stage.proxy(stage.server.port);
  const fleet = await stage.start({ ...SETTINGS, MAIN_SERVER_URL: `https://localhost:${proxy.port}` });
  await fleet.ready(2);
  await proxy.setMode('refuse');
  await stage.ledger.produce(60);
  await fleet.until('open breakers', ({ workers }) => workers.every(({ breaker }) => breaker !== 'closed'));
  await proxy.setMode('pass');
  await waitFor(() => stage.server.ledger.delivered.size === 60, { what: 'delivery', deadlineMs: 20_000 });
  const deliveredAt = performance.now();
  await fleet.ready(2, 20_000);
  return { recoveryMs: performance.now() - deliveredAt };
}

async function unknownHost(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ ...SETTINGS, MAIN_SERVER_URL: 'https://no-such-host.invalid:8000' });
  await stage.ledger.produce(200);
  await fleet.until('open breakers', ({ workers }) => workers.every(({ breaker }) => breaker === 'open'), 30_000);
  const failures = failuresIn(fleet);
  stage.expect(failures <= MOST_FAILURES, `${failures} failures`);
  stage.expect(/DNS lookup failed/.test(fleet.logged()), 'the log does not name DNS');
  fleet.configure(SETTINGS);
  fleet.program.signal('SIGHUP');
  return { note: `${failures} failures` };
}
