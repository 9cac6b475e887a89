/** What replay, purge and the way back to an earlier version do with the letters that are meant. */
import type { Buffer } from 'node:buffer';
import { earlierEnvelope, readDeadLetter } from '../../domain/dead-letters/dead-letter.js';
import { UnusableRedisError } from '../../shared/errors.js';
import type { RedisArgument, RedisConnection } from '../connection/connection.js';
import { redisScript } from '../connection/script.js';
import { noteGone } from '../history/gone.js';
import type { RedisKeys } from '../keys.js';
import { freshly, type DeadLetterEntry } from './entry.js';
import type { Match } from './index-walk.js';

export interface Deed {
  readonly needsLetters: boolean;
  readonly mostMatches: number;
  readonly takes: (match: Match) => boolean;
  /** `over`: of what is scored up to this among the untold, the telling is over (domain/clocks/telling-window.ts). */
  readonly act: (matches: readonly Match[], over: number) => Promise<Done>;
}

/** What became of letters that were to leave the dead. */
interface Done {
  /** Left by its doing, and not by another operator's. */
  readonly done: number;
  /** Lines of those that stay, since the main server is being told of them now. */
  readonly beingTold: ReadonlySet<string>;
  /** Until it has been told of the last of these; 0 when there are none. */
  readonly againInMs: number;
  /** How many of these are free already, if Redis's clock was not set ahead. */
  readonly standing: number;
}

const replayScript = redisScript('dead-letters/replay', 'being-told');
const purgeScript = redisScript('dead-letters/purge', 'being-told');

const REPLAYED = 200;
const PURGED = 500;
/** Freeing the memory of large letters takes Redis time as well. */
const PURGED_BYTES = 8_388_608;

export function purgeDeed(connection: RedisConnection, keys: RedisKeys): Deed {
  return {
    needsLetters: false,
    mostMatches: PURGED,
    takes: () => true,
    act: async (matches, over) => {
      const beingTold = new Set<string>();
      let [done, againInMs, standing] = [0, 0, 0];
      for (const group of byBytes(matches)) {
        const lines = group.map(({ line }) => line);
        const reply = await purgeScript.run(
          connection,
          [keys.deadIndex, keys.deadLetters, keys.untold],
          [over, ...lines],
        );
        const [purged, heldMs, held, past] = reply as [number, number, Buffer[], number];
        done += purged;
        standing += past;
        await noteGone(connection, keys, purged);
        againInMs = Math.max(againInMs, heldMs);
        for (const line of held) beingTold.add(String(line));
      }
      return { done, beingTold, againInMs, standing };
    },
  };
}

function byBytes(matches: readonly Match[]): Match[][] {
  const groups: Match[][] = [];
  let bytes = Infinity;
  for (const match of matches) {
    if (bytes + match.storedBytes > PURGED_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    bytes += match.storedBytes;
    groups.at(-1)?.push(match);
  }
  return groups;
}

export function replayDeed(connection: RedisConnection, keys: RedisKeys, mostParsedBytes: number): Deed {
  return {
    needsLetters: true,
    mostMatches: REPLAYED,
    takes: ({ entry }) => entry.letter !== undefined && !isTooLarge(entry, mostParsedBytes),
    act: async (matches, over) => {
      const args = await argumentsOf(matches, (entry) => replayed(connection, keys, entry, mostParsedBytes));
      return push(connection, keys, keys.queue, [over, ...args]);
    },
  };
}

/** Back to the list in which earlier versions look. */
export function returnDeed(connection: RedisConnection, keys: RedisKeys, mostParsedBytes: number): Deed {
  return {
    needsLetters: true,
    mostMatches: REPLAYED,
    takes: ({ entry }) => entry.storedBytes > 0 && (entry.letter?.rawBytes ?? 0) <= mostParsedBytes,
    act: async (matches, over) => {
      const args = await argumentsOf(matches, (entry) => returned(connection, keys, entry));
      return push(connection, keys, keys.dead, [over, ...args]);
    },
  };
}

async function argumentsOf(
  matches: readonly Match[],
  ofOne: (entry: DeadLetterEntry) => Promise<RedisArgument[]>,
): Promise<RedisArgument[]> {
  const args: RedisArgument[] = [];
  for (const { entry } of matches) args.push(...(await ofOne(entry)));
  return args;
}

async function push(
  connection: RedisConnection,
  { deadIndex, deadLetters, untold }: RedisKeys,
  list: string,
  args: readonly RedisArgument[],
): Promise<Done> {
  const reply = await replayScript.run(connection, [list, deadIndex, deadLetters, untold], args);
  const [done, refusal, againInMs, held, standing] = reply as [number, Buffer, number, Buffer[], number];
  if (refusal.length > 0) {
    throw new UnusableRedisError(`Redis refused to take a message back into ${list}: ${String(refusal)}`);
  }
  return { done, againInMs, standing, beingTold: new Set(held.map(String)) };
}

/** Earlier versions made JSON of a message of any size, of which this one would have to make a text again. */
function isTooLarge({ letter, storedBytes }: DeadLetterEntry, mostParsedBytes: number): boolean {
  return letter?.rawBytes === undefined && storedBytes > 2 * mostParsedBytes;
}

/** Line, kind and message, for dead-letters/replay.lua; nothing when the letter has vanished. */
async function replayed(
  connection: RedisConnection,
  { deadLetters }: RedisKeys,
  { line, unique, letter, stored, storedBytes }: DeadLetterEntry,
  mostParsedBytes: number,
): Promise<RedisArgument[]> {
  if (letter && stored.length === storedBytes) return [line, 'given', freshly(letter.raw, mostParsedBytes)];
  if (letter?.rawBytes !== undefined && letter.rawBytes > mostParsedBytes) return [line, 'message', ''];
  const whole = (await connection.call('HGET', deadLetters, unique)) as Buffer | null;
  const read = whole && readDeadLetter(whole);
  return read ? [line, 'given', freshly(read.raw, mostParsedBytes)] : [];
}

/** A large message, which follows the envelope, goes into it as earlier versions read it; all others are as they were. */
async function returned(
  connection: RedisConnection,
  { deadLetters }: RedisKeys,
  { line, unique, letter }: DeadLetterEntry,
): Promise<RedisArgument[]> {
  const whole = letter?.isLarge === true && ((await connection.call('HGET', deadLetters, unique)) as Buffer | null);
  const read = whole ? readDeadLetter(whole) : undefined;
  return read ? [line, 'given', earlierEnvelope(read)] : [line, 'letter', ''];
}
