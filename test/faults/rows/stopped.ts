/** Row 55: everything of ours stands still for longer than a lease, as in a suspended container. */
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../support/wait-for.js';
import type { Findings, Row } from '../support/row.js';
import { pidsOf, sendSignal, type Stage } from '../support/stage.js';

const STOPPED_MS = 20_000;
const SETTINGS = { WORKER_COUNT: 3, WORKER_CONCURRENCY: 8 };
const BOUND = 'nothing recovered, no worker killed, 0 dup, drained ≤ 5 s after SIGCONT';

export const STOPPED_ROWS: readonly Row[] = [
  {
    id: '55a',
    fault: 'SIGSTOP of the whole process tree for 20 s under load, Redis running',
    bound: BOUND,
    limits: { recoveryMs: 5_000 },
    run: (stage) => stopAll(stage, { redisToo: false }),
  },
  {
    id: '55b',
    fault: 'SIGSTOP of the whole process tree and of Redis for 20 s under load',
    bound: BOUND,
    limits: { recoveryMs: 5_000 },
    run: (stage) => stopAll(stage, { redisToo: true }),
  },
];

async function stopAll(stage: Stage, { redisToo }: { readonly redisToo: boolean }): Promise<Findings> {
  const fleet = await stage.startSettled(SETTINGS);
  stage.server.faults.post.delayMs = 30;
  const load = stage.load(50);
  await waitFor(() => stage.server.ledger.delivered.size > 200, { what: 'load', deadlineMs: 20_000 });
  const before = await pidsOf(fleet);
  await waitFor(() => stage.openPosts().length > 0, { what: 'a POST' });
  const pids = [fleet.program.pid, ...fleet.program.descendants()];
  for (const pid of pids) sendSignal(pid, 'SIGSTOP');
  if (redisToo) stage.redis.freeze();
  await sleep(STOPPED_MS);
  if (redisToo) stage.redis.thaw();
  for (const pid of pids.reverse()) sendSignal(pid, 'SIGCONT');
  const continuedAt = performance.now();
  await load.stop();
  const { server, ledger } = stage;
  const isDrained = () => ledger.produced.every((id) => server.ledger.delivered.has(id));
  await waitFor(isDrained, { what: 'all to be delivered', deadlineMs: 30_000 });
  const recoveryMs = performance.now() - continuedAt;
  // an observer that believed the leases over would act within its hold-off and a lease
  await sleep(20_000);
  const told = /.*(?:Recovered \d|lost its lease|back in the queue|kill(?:ed|ing)).*/i.exec(fleet.logged())?.[0];
  stage.expect(told === undefined, `recovered, or killed: ${told}`);
  const after = await pidsOf(fleet);
  stage.expect(String(after) === String(before), `workers ${before.join(', ')} became ${after.join(', ')}`);
  return { recoveryMs };
}
