/**
 * Gives everything back to workers that know only the plain list (the Python worker): claims to its right end, since they
 * were next, retries to its left end, as that worker requeues. Each step is one script, so a run may be killed and repeated.
 */
import { BrokerError } from '../shared/errors.js';
import type { RedisConnection } from './connection.js';
import type { RedisKeys } from './keys.js';
import { redisScript } from './script.js';

/** Workers hold leases: they claim and settle while we move their messages. */
export class LeasesRunningError extends BrokerError {
  constructor(readonly consumers: readonly string[]) {
    super(
      'E_LEASES_RUNNING',
      `${consumers.length} ${consumers.length === 1 ? 'worker holds a lease' : 'workers hold leases'} on the queue ` +
        `(${consumers.slice(0, 3).join(', ')}${consumers.length > 3 ? ', …' : ''}). Stop them first; leases of killed workers run out by themselves within 15 s.`,
    );
  }
}

export interface RollbackProgress {
  readonly claims: number;
  readonly retries: number;
}

export interface Rollback {
  /** Consumers whose lease runs. */
  leased(): Promise<readonly string[]>;
  /** Counts what would be moved. */
  pending(): Promise<RollbackProgress>;
  /** Rejects with LeasesRunningError, unless `force`, and with RedisUnavailableError. */
  run(options: {
    readonly force: boolean;
    readonly onProgress?: (progress: RollbackProgress) => void;
  }): Promise<RollbackProgress>;
}

const STEP = 100;

const claimsScript = redisScript('rollback-claims');
const retriesScript = redisScript('rollback-retries');

export function createRollback(connection: RedisConnection, keys: RedisKeys): Rollback {
  async function consumers(): Promise<{ readonly name: string; readonly leased: boolean }[]> {
    const [seconds, micros] = ((await connection.call('TIME')) as Buffer[]).map(Number) as [number, number];
    const now = seconds * 1_000 + Math.floor(micros / 1_000);
    const reply = ((await connection.call('ZRANGE', keys.consumers, 0, -1, 'WITHSCORES')) as Buffer[]).map(String);
    return reply.flatMap((name, at) => (at % 2 === 0 ? [{ name, leased: Number(reply[at + 1]) > now }] : []));
  }

  async function leased(): Promise<string[]> {
    return (await consumers()).filter((consumer) => consumer.leased).map(({ name }) => name);
  }

  async function claimsOf(consumer: string, force: boolean, onMoved: (count: number) => void): Promise<void> {
    for (;;) {
      const reply = await claimsScript.run(
        connection,
        [keys.queue, keys.processing(consumer), keys.consumers],
        [consumer, STEP, force ? '1' : '0'],
      );
      const [moved, left] = reply as [number, number];
      // It renewed its lease after our first look.
      if (moved < 0) throw new LeasesRunningError([consumer]);
      onMoved(moved);
      if (left === 0) return;
    }
  }

  return {
    leased,

    async pending() {
      let claims = 0;
      for (const { name } of await consumers()) {
        claims += (await connection.call('LLEN', keys.processing(name))) as number;
      }
      return { claims, retries: (await connection.call('ZCARD', keys.retry)) as number };
    },

    async run({ force, onProgress }) {
      const holders = force ? [] : await leased();
      if (holders.length > 0) throw new LeasesRunningError(holders);
      const progress = { claims: 0, retries: 0 };
      const moved = (kind: keyof RollbackProgress, count: number): void => {
        progress[kind] += count;
        if (count > 0) onProgress?.({ ...progress });
      };
      for (let left = 1; left > 0;) {
        const reply = await retriesScript.run(connection, [keys.retry, keys.queue], [STEP]);
        const [count, rest] = reply as [number, number];
        moved('retries', count);
        left = rest;
      }
      for (const { name } of await consumers()) await claimsOf(name, force, (count) => moved('claims', count));
      return progress;
    },
  };
}
