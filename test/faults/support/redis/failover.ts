/** The death of a master under load, and the replica that takes its place. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { plainClient } from '../../../support/redis/redis.js';
import { waitFor } from '../../../support/wait-for.js';
import type { Stage } from '../stage.js';

/** Nothing is produced in the last second before the kill. */
const MOST_LOST_BY_REPLICATION = 10;

export function clientOf(stage: Stage, port: number): Redis {
  const client = plainClient(port);
  stage.onClose(async () => client.disconnect());
  return client;
}

/** Waits until each replica of the stage's Redis has a copy. */
export async function inStep(stage: Stage, replicas: readonly Redis[]): Promise<void> {
  await stage.client.config('SET', 'repl-diskless-sync-delay', '0');
  const isInStep = async () =>
    (await Promise.all(replicas.map((client) => client.info('replication')))).every((info) =>
      info.includes('master_link_status:up'),
    );
  await waitFor(isInStep, { what: 'the replicas to have a copy', deadlineMs: 30_000 });
}

interface Failover {
  readonly killedAt: number;
  readonly promotedAt: number;
  /** What the new master never had. */
  readonly lost: readonly string[];
}

/** Under load; the stage then looks at the promoted one. */
export async function killMaster(
  stage: Stage,
  replicas: readonly Redis[],
  kill: () => Promise<void>,
): Promise<Failover> {
  stage.server.faults.post.delayMs = 20;
  await stage.ledger.produce(3_000);
  await waitFor(() => stage.server.ledger.posts > 200, { what: 'load' });
  await sleep(1_000);
  await kill();
  const killedAt = performance.now();
  const promoted = async () => {
    for (const client of replicas) if (String((await client.role())[0]) === 'master') return client;
    return undefined;
  };
  const client = await waitFor(promoted, { what: 'a promotion', deadlineMs: 30_000 });
  const promotedAt = performance.now();
  stage.lookAt(plainClient(client.options.port ?? 0));
  // replication is asynchronous: what the new master never had is reported, and must be little
  const { lost } = await stage.ledger.accountFor();
  stage.expect(lost.length <= MOST_LOST_BY_REPLICATION, `the replica lacked ${lost.length} messages`);
  return { killedAt, promotedAt, lost };
}
