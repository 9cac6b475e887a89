/** For how long Redis was held up by one command, looked at from outside. */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { repeat } from '../../../support/wait-for.js';

interface Stall {
  /** Of the processor's time, as far as it can be told: see StallWatch. */
  readonly ms: number;
  /** The command and what it began with. */
  readonly command: string;
}

interface StallWatch {
  /** All that were longer than the bound. */
  stop(): Promise<readonly Stall[]>;
}

type Entry = [id: number, time: number, micros: number, command: Buffer[], address: Buffer, client: Buffer];

const LOOK_MS = 50;
const MOST_ENTRIES = 1_000;
/** Of a script: its hash or its first words. */
const SHOWN = 60;

/**
 * Redis's own account (SLOWLOG) says how long each of its commands took on the clock, less the time in which the machine let
 * the whole server wait for a processor: on a busy one that is most of it, and no fault of the command. The second is known
 * by spans of some 50 ms only, so a stall that a wait falls in may be missed, and none is told that was none.
 */
export async function watchStalls(client: Redis, pid: number, boundMs: number): Promise<StallWatch> {
  await client.config('SET', 'slowlog-log-slower-than', boundMs * 1_000, 'slowlog-max-len', MOST_ENTRIES);
  await client.slowlog('RESET');
  const stalls: Stall[] = [];
  let seen = -1;
  // what is logged now may have begun in the span before
  let waited = [waitedMs(pid), waitedMs(pid)];
  const look = async (): Promise<void> => {
    const entries = (await client.callBuffer('SLOWLOG', 'GET', MOST_ENTRIES)) as Entry[];
    const now = waitedMs(pid);
    const [before = now] = waited;
    for (const [id, , micros, command] of entries.filter(([number]) => number > seen)) {
      const ms = micros / 1_000 - (now - before);
      seen = Math.max(seen, id);
      if (ms > boundMs) stalls.push({ ms, command: textOf(command) });
    }
    waited = [...waited.slice(1), now];
  };
  const looking = repeat(look, LOOK_MS);
  return {
    stop: async () => {
      await looking.stop();
      await look();
      return stalls;
    },
  };
}

/** For how long a process could have run and was not let, since its start; 0 where the system does not tell. */
function waitedMs(pid: number): number {
  try {
    const [, nanoseconds] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1_000_000;
  } catch {
    return 0;
  }
}

function textOf(command: readonly Buffer[]): string {
  return command
    .slice(0, 4)
    .map((word) => word.toString('latin1').slice(0, SHOWN).replace(/\s+/g, ' '))
    .join(' ');
}
