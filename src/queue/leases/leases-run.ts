/**
 * Whether workers hold leases, for one who is about to take from them what they hold: by watching, since neither the clock of
 * Redis nor that of this host is to be believed (domain/clocks/lease-watch.ts).
 */
import type { Buffer } from 'node:buffer';
import { LeaseWatch } from '../../domain/clocks/lease-watch.js';
import { BrokerError } from '../../shared/errors.js';
import type { Clock } from '../../shared/time/clock.js';
import type { RedisConnection } from '../connection/connection.js';
import type { RedisKeys } from '../keys.js';
import type { RegisteredConsumer } from '../background-queue.js';

const LOOK_EVERY_MS = 1_000;

/** Workers hold leases: they claim and settle while we move their messages. */
export class LeasesRunningError extends BrokerError {
  constructor(readonly consumers: readonly string[]) {
    super(
      'E_LEASES_RUNNING',
      `${consumers.length} ${consumers.length === 1 ? 'worker holds a lease' : 'workers hold leases'} on the queue ` +
        `and renewed it while we watched (${consumers.slice(0, 3).join(', ')}${consumers.length > 3 ? ', …' : ''}). Stop them first.`,
    );
  }
}

interface LeaseWatching {
  /** All leases in the register. Rejects also where Redis takes no writes: nobody can renew then. */
  readonly read: () => Promise<readonly RegisteredConsumer[]>;
  /** Called at each look that has not ended it, with the ms that are left if nothing changes. */
  readonly onWatch?: (leftMs: number) => void;
  readonly clock: Clock;
}

/**
 * The leases that are over, each with the score that stood still: 13 s of our own monotonic time after the call, at once when
 * there are none. Rejects with LeasesRunningError as soon as one is renewed or a new one taken.
 */
export async function watchLeases({ read, onWatch, clock }: LeaseWatching): Promise<readonly RegisteredConsumer[]> {
  const watch = new LeaseWatch();
  let known: ReadonlyMap<string, string> | undefined;
  for (;;) {
    const sentAt = clock.now();
    const leases = await read();
    const before = known ?? scoresOf(leases);
    known = before;
    const renewed = leases.filter(({ consumer, score }) => before.get(consumer) !== score);
    if (renewed.length > 0) throw new LeasesRunningError(renewed.map(({ consumer }) => consumer));
    const over = watch.look(leases, { sentAt, readAt: clock.now() });
    if (over.length === leases.length) return leases;
    const leftMs = watch.dueInMs(clock.now()) ?? LOOK_EVERY_MS;
    onWatch?.(leftMs);
    await clock.sleep(Math.min(LOOK_EVERY_MS, Math.ceil(leftMs)));
  }
}

/** Everybody in the register, the recovered as well. */
export async function readConsumers(
  connection: RedisConnection,
  { consumers }: Pick<RedisKeys, 'consumers'>,
): Promise<readonly RegisteredConsumer[]> {
  const scored = await connection.call('ZRANGE', consumers, 0, -1, 'WITHSCORES');
  const reply = (scored as Buffer[]).map(String);
  return reply.flatMap((consumer, at) => (at % 2 === 0 ? [{ consumer, score: reply[at + 1] ?? '' }] : []));
}

/** Those that nobody has recovered. */
export async function readLeases(
  connection: RedisConnection,
  keys: Pick<RedisKeys, 'consumers'>,
): Promise<readonly RegisteredConsumer[]> {
  return (await readConsumers(connection, keys)).filter(({ score }) => Number(score) >= 0);
}

function scoresOf(leases: readonly RegisteredConsumer[]): ReadonlyMap<string, string> {
  return new Map(leases.map(({ consumer, score }) => [consumer, score]));
}
