import type { FleetLook } from '../domain/fleet/fleet-watch.js';
import type { FailedAttempt } from '../domain/failures/failed-attempt.js';
import type { CountedFailures } from '../domain/failures/failure-group.js';
import type { Clock } from '../shared/time/clock.js';
import type { Config } from '../shared/config/config.js';
import { RedisUnavailableError } from '../shared/errors.js';
import type { PauseLook, RegisteredConsumer } from './background-queue.js';
import type { QueueSizes } from './message-queue.js';
import { createAudit, type Audit } from './audit.js';
import { RedisMessageActions, type MessageActions } from './actions/message-actions.js';
import { RedisConnection, type RedisArgument } from './connection/connection.js';
import { address } from './connection/problem.js';
import { RedisDeadLetters, type DeadLetters } from './dead-letters/dead-letters.js';
import { readFailureCounts, readFailures } from './failures/reading.js';
import { readFleet } from './fleet/read.js';
import { readHistory, type HistoryQuery, type ReadHistory } from './history/read.js';
import { redisKeys } from './keys.js';
import { readLeases } from './leases/leases-run.js';
import { redisMessages, type Messages } from './messages/messages.js';
import { lookAtPause } from './pause/look.js';
import { createPausing, type Pausing } from './pause/pausing.js';
import { missingPermissions, type MissingPermissions } from './connection/permissions.js';
import { RedisRollback, type Rollback } from './rollback.js';
import { SideBooks } from './side-books.js';
import { readSizes } from './sizes.js';

/** What an operator does to the queue by hand, over a connection of its own. */
export interface OperatorQueue {
  readonly deadLetters: DeadLetters;
  readonly messages: Messages;
  readonly actions: MessageActions;
  readonly rollback: Rollback;
  readonly audit: Audit;
  /** To the left end, the first one first, as producers do. */
  enqueue(messages: readonly Buffer[]): Promise<void>;
  sizes(): Promise<QueueSizes>;
  /** Of messages that are neither delivered nor dead, by id: their last failed attempts, the oldest first. */
  failures(ids: readonly string[]): Promise<ReadonlyMap<string, readonly FailedAttempt[]>>;
  /** What all workers have done. */
  readonly history: { read(query: HistoryQuery): Promise<ReadHistory> };
  /** What supervisors and workers alone say of themselves. */
  fleet(): Promise<FleetLook>;
  /** What failed since then, hour by hour; times in ms since the Unix epoch. */
  failureCounts(span: { readonly since: number; readonly now: number }): Promise<readonly CountedFailures[]>;
  /** Of workers of this kind, on any host; one that is renewed changes its score. Python workers have none. */
  leases(): Promise<readonly RegisteredConsumer[]>;
  readonly pausing: Pausing;
  /** As the workers look whether deliveries are paused. */
  lookAtPause(): Promise<PauseLook>;
  /** The key of that. */
  readonly pausedKey: string;
  /** What our user of Redis may not do. */
  missingPermissions(): Promise<readonly MissingPermissions[]>;
  isReady(): boolean;
  /** Of Redis, as an operator knows it. */
  readonly address: string;
  /** Asks Redis anything that changes nothing: INFO, CONFIG GET, TIME, LLEN, ... */
  ask(command: string, ...args: RedisArgument[]): Promise<unknown>;
}

export { problemKind } from './connection/problem.js';

const CONNECT_DEADLINE_MS = 3_000;
/** A page of dead letters may take Redis a while; a rollback's step too. */
const SILENCE_MS = 10_000;

/** Rejects with RedisUnavailableError when Redis does not answer within 3 s, and with whatever `use` rejects with. */
export async function withOperatorQueue<T>(
  config: Pick<Config, 'redis' | 'queue'>,
  clock: Clock,
  use: (queue: OperatorQueue) => Promise<T>,
): Promise<T> {
  const connection = new RedisConnection({
    redis: config.redis,
    name: 'message-broker-worker:operator',
    silenceMs: SILENCE_MS,
    clock,
    // it is alone: there are no others to keep apart from
    random: () => 0,
  });
  try {
    connection.start();
    await connection.whenReady(CONNECT_DEADLINE_MS);
    if (!connection.isReady()) throw unreachable(connection);
    return await use(operatorQueue(connection, config, clock));
  } finally {
    await connection.stop();
  }
}

function unreachable(connection: RedisConnection): RedisUnavailableError {
  const cause = connection.lastError;
  return new RedisUnavailableError(connection.describe(connection.problem), false, { cause });
}

function operatorQueue(
  connection: RedisConnection,
  config: Pick<Config, 'redis' | 'queue'>,
  clock: Clock,
): OperatorQueue {
  const keys = redisKeys(config.queue.name);
  const deadLetters = new RedisDeadLetters({
    connection,
    keys,
    clock,
    messageMaxBytes: config.queue.messageMaxBytes,
  });
  const sideBooks = new SideBooks({ connection, keys, mostBytes: config.queue.sideBooksMaxBytes, clock });
  const messages = redisMessages({ connection, keys, clock }, deadLetters);
  return {
    address: address(config.redis),
    deadLetters,
    messages,
    actions: new RedisMessageActions({ connection, keys, messages, deadLetters, clock }),
    rollback: new RedisRollback(connection, keys, clock),
    audit: createAudit(connection, keys, sideBooks),
    enqueue: async (messages) => {
      if (messages.length > 0) await connection.call('LPUSH', keys.queue, ...messages);
    },
    sizes: () => readSizes(connection, keys),
    failures: (ids) => readFailures(connection, keys, ids),
    history: { read: (query) => readHistory(connection, keys, query) },
    fleet: () => readFleet(connection, keys),
    failureCounts: (span) => readFailureCounts(connection, keys, span),
    leases: () => readLeases(connection, keys),
    pausing: createPausing(connection, keys, clock),
    lookAtPause: () => lookAtPause(connection, keys, ''),
    pausedKey: keys.paused,
    missingPermissions: () => missingPermissions(connection, keys),
    isReady: () => connection.isReady(),
    ask: (command, ...args) => connection.call(command, ...args),
  };
}
