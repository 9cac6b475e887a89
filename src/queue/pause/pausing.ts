/**
 * Pauses all deliveries for an operator, and says from when on nothing begins any more: once each consumer with a lease has
 * said in paused:seen that it keeps this pause. One that registers later claims nothing: its exchanges see the pause, and
 * it looks in the pipeline of each blocking pop.
 */
import type { Buffer } from 'node:buffer';
import { readPause, type Pause } from '../../domain/pause/pause.js';
import type { Clock } from '../../shared/time/clock.js';
import type { RedisConnection } from '../connection/connection.js';
import { redisScript } from '../connection/script.js';
import type { RedisKeys } from '../keys.js';
import { readLeases } from '../leases/leases-run.js';
import { TEXT_BYTES } from './look.js';

interface WantedPause {
  /** Another one for each pause. */
  readonly id: string;
  readonly who: string;
  readonly where: string;
  /** Empty = not said. */
  readonly why: string;
  /** Until Redis ends it; undefined = somebody has to. */
  readonly forMs: number | undefined;
}

interface BegunPause extends Pause {
  /** What it has replaced. */
  readonly replaced: Pause | undefined;
}

export interface Confirmations {
  /** Consumers that begin nothing any more, and those that may. */
  readonly confirmed: readonly string[];
  readonly missing: readonly string[];
  /** It has ended, or another one stands in its place: what is confirmed holds no more. */
  readonly isOver: boolean;
}

export interface Pausing {
  /** Rejects with RedisUnavailableError, also where this user may not, or the key is of another type. */
  begin(wanted: WantedPause): Promise<BegunPause>;
  /** Looks until all have confirmed it, it is over, or the time is. */
  whenConfirmed(id: string, timeoutMs: number): Promise<Confirmations>;
  /** Ends the pause that there is, whoever began it. */
  finish(): Promise<Pause | undefined>;
  /** Addresses of clients that wait in a plain BRPOP, as Python workers do; of which list Redis does not say. */
  plainPoppers(): Promise<readonly string[]>;
}

const LOOK_EVERY_MS = 50;
/** What we call our own connections. */
const OURS = 'message-broker-worker:';

const beginScript = redisScript('pause/begin');
const finishScript = redisScript('pause/finish');

export function createPausing(connection: RedisConnection, keys: RedisKeys, clock: Clock): Pausing {
  return {
    async begin({ forMs, ...said }) {
      const args = [JSON.stringify(said), forMs === undefined ? '' : Math.ceil(forMs), TEXT_BYTES];
      const reply = await beginScript.run(connection, [keys.paused, keys.pausedSeen], args);
      const [now, before, leftMs] = reply as [Buffer, Buffer, number];
      const nowMs = Number(String(now));
      return {
        ...said,
        untilMs: forMs === undefined ? undefined : nowMs + forMs,
        replaced: before.length === 0 ? undefined : endingIn(String(before), leftMs, nowMs),
      };
    },

    async whenConfirmed(id, timeoutMs) {
      const deadline = clock.now() + timeoutMs;
      for (;;) {
        const found = await confirmations(connection, keys, id);
        if (found.missing.length === 0 || found.isOver || clock.now() >= deadline) return found;
        await clock.sleep(LOOK_EVERY_MS);
      }
    },

    async finish() {
      const reply = await finishScript.run(connection, [keys.paused], [TEXT_BYTES]);
      const [wasPaused, before, leftMs] = reply as [number, Buffer, number];
      return wasPaused === 1 ? endingIn(String(before), leftMs, clock.wallNow()) : undefined;
    },

    plainPoppers: () => plainPoppers(connection),
  };
}

/** In this order: what has confirmed by the last look keeps the pause that the last look finds. */
async function confirmations(connection: RedisConnection, keys: RedisKeys, id: string): Promise<Confirmations> {
  const consumers = (await readLeases(connection, keys)).map(({ consumer }) => consumer);
  const seen = consumers.length === 0 ? [] : await connection.call('HMGET', keys.pausedSeen, ...consumers);
  const text = (await connection.call('GET', keys.paused)) as Buffer | null;
  const kept = (seen as (Buffer | null)[]).map((one) => (one ? String(one) : undefined));
  return {
    confirmed: consumers.filter((_, at) => kept[at] === id),
    missing: consumers.filter((_, at) => kept[at] !== id),
    isOver: !text || readPause(String(text)).id !== id,
  };
}

function endingIn(text: string, leftMs: number, nowMs: number): Pause {
  const pause = readPause(text);
  return { ...pause, untilMs: pause.untilMs ?? (leftMs < 0 ? undefined : nowMs + leftMs) };
}

/** None where Redis does not tell us of its clients, and in a cluster, where each node has its own. */
async function plainPoppers(connection: RedisConnection): Promise<readonly string[]> {
  if (connection.isCluster) return [];
  const list = await connection.callPermitted('', 'CLIENT', 'LIST');
  return String(list)
    .split('\n')
    .filter((line) => / cmd=brpop( |$)/.test(line) && !line.includes(` name=${OURS}`))
    .map((line) => / addr=(\S+)/.exec(line)?.[1] ?? 'unknown');
}
