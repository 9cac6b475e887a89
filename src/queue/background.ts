import type { Config } from '../shared/config/config.js';
import type { Life } from '../shared/life.js';
import type { Random } from '../shared/time/random.js';
import { createAudit, type Audit } from './audit.js';
import { CONTROL_SILENCE_MS, RedisConnection } from './connection/connection.js';
import { readEvictionPolicy } from './connection/facts.js';
import { createFailureQueue } from './failures/book.js';
import { createFoundListsQueue } from './found-lists.js';
import { readFleet } from './fleet/read.js';
import { sayInFleet } from './fleet/say.js';
import { noteHistory } from './history/note.js';
import { redisKeys, type RedisKeys } from './keys.js';
import type { BackgroundQueue } from './background-queue.js';
import { createDeadLetterExpiry } from './dead-letters/expiry.js';
import { DeadLetterMove } from './dead-letters/inbox.js';
import { lookAtPause } from './pause/look.js';
import { createRecoveryQueue, type RecoveryIdentity } from './recovery.js';
import { createRetryQueue } from './retries.js';
import { readSizes } from './sizes.js';
import { SideBooks } from './side-books.js';
import { createUntoldQueue } from './untold.js';

/** What the duties and the primary do to the queue, over one connection that nothing blocks. */
export function createBackgroundQueue(
  connection: RedisConnection,
  keys: RedisKeys,
  identity: RecoveryIdentity & { readonly sideBooks: SideBooks },
): BackgroundQueue {
  const inbox = new DeadLetterMove(connection, keys);
  const failures = createFailureQueue(connection, keys, identity.sideBooks);
  return {
    moveOldDeadLetters: () => inbox.step(),
    ...createDeadLetterExpiry(connection, keys),
    ...createRetryQueue(connection, keys, identity),
    ...createRecoveryQueue(connection, keys, { ...identity, failures }),
    ...createFoundListsQueue(connection, keys),
    ...createUntoldQueue(connection, keys),
    ...failures,
    lookAtPause: () => lookAtPause(connection, keys, ''),
    noteHistory: (note) => noteHistory({ connection, keys, ...identity }, note),
    sayInFleet: (word) => sayInFleet({ connection, keys, ...identity }, word),
    fleet: () => readFleet(connection, keys),
    sizes: () => readSizes(connection, keys),
  };
}

/** The primary's own access to the queue. */
export interface BackgroundConnection extends Life {
  readonly queue: BackgroundQueue;
  readonly audit: Audit;
  /** Connects in the background. @throws ConfigError when REDIS_TLS_CA_PATH cannot be read. */
  start(): void;
  isReady(): boolean;
  whenReady(timeoutMs: number): Promise<void>;
  /** maxmemory-policy; undefined when Redis does not tell, or not this user. */
  evictionPolicy(): Promise<string | undefined>;
}

interface BackgroundConnectionOptions extends RecoveryIdentity {
  readonly config: Pick<Config, 'redis' | 'queue'>;
  readonly random: Random;
}

export function createBackgroundConnection(options: BackgroundConnectionOptions): BackgroundConnection {
  const { config, workerId, clock, random } = options;
  const connection = new RedisConnection({
    redis: config.redis,
    name: `message-broker-worker:${workerId}`,
    silenceMs: CONTROL_SILENCE_MS,
    clock,
    random,
  });
  const keys = redisKeys(config.queue.name);
  const sideBooks = new SideBooks({ connection, keys, mostBytes: config.queue.sideBooksMaxBytes, clock });
  return {
    queue: createBackgroundQueue(connection, keys, { workerId, clock, sideBooks }),
    audit: createAudit(connection, keys, sideBooks),
    start: () => connection.start(),
    stop: () => connection.stop(),
    isReady: () => connection.isReady(),
    whenReady: (timeoutMs) => connection.whenReady(timeoutMs),
    evictionPolicy: () => readEvictionPolicy(connection),
  };
}
