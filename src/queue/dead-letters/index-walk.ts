/** Steps over the index of the dead letters, each a run of dead-letters/walk.lua that holds Redis for a few milliseconds. */
import type { Buffer } from 'node:buffer';
import { indexWord } from '../../domain/dead-letters/index-line.js';
import { isFailureReason } from '../../domain/delivery-outcome.js';
import type { MessageFilter } from '../../domain/filter/message-filter.js';
import type { RedisConnection } from '../connection/connection.js';
import { redisScript } from '../connection/script.js';
import type { RedisKeys } from '../keys.js';
import { BEGINNING_BYTES, entryOf, WHOLE_BYTES, type DeadLetterEntry } from './entry.js';

/** 2,000 lines take Redis 2 ms, letters or deletions of 1 MB another 2. */
const STEP_LINES = 2_000;
const STEP_BYTES = 1_048_576;
/** In the script's arguments; no word of the index has one. */
const ANY = ' ';

/** Behind which entry a walk goes on: its line and its score. */
export interface Cursor {
  readonly line: string;
  readonly score: string;
}

interface Placed extends Cursor {
  /** From 1, the newest. */
  readonly place: number;
}

export interface Match extends Placed {
  /** -1 = the index has a line of it and nothing else. */
  readonly storedBytes: number;
  /** Empty when letters were not asked for; of a large one the beginning. */
  readonly stored: Buffer;
  /** Read at the first look. */
  readonly entry: DeadLetterEntry;
}

interface Step {
  /** Entries in the index, meant or not. */
  readonly total: number;
  readonly looked: number;
  /** The walk is over. */
  readonly isLast: boolean;
  readonly last: Placed | undefined;
  /** The last that the filter does not mean. */
  readonly lastOther: Placed | undefined;
  readonly matches: readonly Match[];
}

interface StepRequest {
  readonly towards: 'older' | 'newer';
  readonly after: Cursor | undefined;
  readonly filter: MessageFilter;
  /** Bounds of the score. */
  readonly lowest: string;
  readonly highest: string;
  readonly mostLooked?: number;
  readonly mostMatches: number;
  readonly withLetters: boolean;
}

const walkScript = redisScript('dead-letters/walk');

export async function walkStep(connection: RedisConnection, keys: RedisKeys, request: StepRequest): Promise<Step> {
  const { towards, after, filter, lowest, highest, mostLooked = STEP_LINES, mostMatches, withLetters } = request;
  // why the last attempt failed stands in the letters, not in the index: searchOf() looks there
  const reason = filter.reason !== undefined && isFailureReason(filter.reason) ? undefined : filter.reason;
  const words = [reason, filter.client, filter.domain].map((word) => (word === undefined ? ANY : indexWord(word)));
  const reply = await walkScript.run(
    connection,
    [keys.deadIndex, keys.deadLetters],
    [
      towards,
      after?.line ?? '',
      after?.score ?? '',
      lowest,
      highest,
      ...words,
      Math.min(mostLooked, STEP_LINES),
      mostMatches,
      withLetters ? '1' : '0',
      STEP_BYTES,
      WHOLE_BYTES,
      BEGINNING_BYTES,
      indexWord(filter.idPrefix ?? ''),
      ...(filter.ids ?? []).map(indexWord),
    ],
  );
  const [total, looked, isLast, last, lastOther, found] = reply as [
    number,
    number,
    number,
    PlaceReply,
    PlaceReply,
    unknown[],
  ];
  return {
    total,
    looked,
    isLast: isLast === 1,
    last: placed(last),
    lastOther: placed(lastOther),
    matches: matchesOf(found),
  };
}

type PlaceReply = [line?: Buffer, score?: Buffer, place?: number];

function placed([line, score, place = 0]: PlaceReply): Placed | undefined {
  return line && score ? { line: String(line), score: String(score), place } : undefined;
}

class FoundLetter implements Match {
  #entry: DeadLetterEntry | undefined;

  constructor(
    readonly line: string,
    readonly score: string,
    readonly place: number,
    readonly storedBytes: number,
    readonly stored: Buffer,
  ) {}

  get entry(): DeadLetterEntry {
    const { line, place, stored, storedBytes } = this;
    return (this.#entry ??= entryOf({ line, place, stored, storedBytes: Math.max(0, storedBytes) }));
  }
}

function matchesOf(found: readonly unknown[]): Match[] {
  const matches: Match[] = [];
  for (let at = 0; at < found.length; at += 5) {
    const [line, score, place, bytes, stored] = found.slice(at, at + 5) as [Buffer, Buffer, number, number, Buffer];
    matches.push(new FoundLetter(String(line), String(score), place, bytes, stored));
  }
  return matches;
}
