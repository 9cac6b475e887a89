/** Waiting messages as actions/cancel-waiting.lua takes them out. */
import type { Buffer } from 'node:buffer';
import { UnusableRedisError } from '../../shared/errors.js';
import type { RedisArgument, RedisConnection } from '../connection/connection.js';
import { redisScript } from '../connection/script.js';
import { noteGone } from '../history/gone.js';
import type { RedisKeys } from '../keys.js';
import type { WaitingMessage } from '../messages/found.js';
import type { Removal } from './cancelled-letter.js';

/** In the middle of 1,000,000 messages each takes Redis up to 0.1 ms. */
const STEP = 50;
const STEP_BYTES = 1_048_576;
/** Small ones at once; of large ones the script looks at fewer. */
const LOOKED_AT = 1_000;
/** Pushes meanwhile: at 20,000 a second some hundred. */
const LOOKED_BEHIND = 4_000;

const cancelScript = redisScript('actions/cancel-waiting', 'letter-failures', 'cancelled', 'stepwise');

type Seen = readonly [Pick<WaitingMessage, 'index' | 'raw' | 'messageId'>, Removal];

/** Resolves to how many have left the queue by our doing; the others have been claimed. */
export async function takeOutWaiting(
  connection: RedisConnection,
  keys: RedisKeys,
  removals: readonly Seen[],
): Promise<number> {
  /*
   * A cancelled message lies among the dead while its marker stands in the queue, and who drops the marker acknowledges it: one
   * message less than it seems. Said first, so that nobody who looks in between takes the letter for an arrival.
   */
  const cancelled = removals.filter(([, { envelope }]) => envelope !== '').length;
  let taken = 0;
  await noteGone(connection, keys, -cancelled);
  try {
    for (const group of groups(removals)) taken += await takeOutGroup(connection, keys, group);
  } finally {
    await noteGone(connection, keys, Math.max(0, cancelled - taken));
  }
  return taken;
}

function groups(removals: readonly Seen[]): Seen[][] {
  const made: Seen[][] = [];
  let bytes = 0;
  for (const removal of removals) {
    const [{ raw }] = removal;
    const last = made.at(-1);
    if (!last || last.length === STEP || bytes + raw.length > STEP_BYTES) {
      made.push([removal]);
      bytes = 0;
    } else last.push(removal);
    bytes += raw.length;
  }
  return made;
}

/** What is not where it was seen is looked for behind that, a window after the other. */
async function takeOutGroup(connection: RedisConnection, keys: RedisKeys, group: readonly Seen[]): Promise<number> {
  const first = Math.min(...group.map(([{ index }]) => index));
  const span = Math.max(...group.map(([{ index }]) => index)) - first + 1;
  let [left, from, look] = [group, first, Math.min(LOOKED_AT, span + STEP)];
  while (left.length > 0 && from < first + span + LOOKED_BEHIND) {
    const { missing, isOver, looked } = await takeOut(connection, keys, { from, look, left });
    left = missing;
    if (isOver) break;
    from += looked;
    look = Math.min(LOOKED_AT, 2 * look);
  }
  return group.length - left.length;
}

interface Window {
  readonly from: number;
  readonly look: number;
  readonly left: readonly Seen[];
}

interface Looked {
  readonly missing: readonly Seen[];
  readonly looked: number;
  readonly isOver: boolean;
}

async function takeOut(
  connection: RedisConnection,
  { queue, deadIndex, deadLetters, untold, failures }: RedisKeys,
  { from, look, left }: Window,
): Promise<Looked> {
  const args: RedisArgument[] = [from, look];
  for (const [{ raw, messageId }, { envelope, line, marker }] of left) {
    args.push(raw, envelope, line, marker, messageId ?? '');
  }
  const reply = await cancelScript.run(connection, [queue, deadIndex, deadLetters, untold, failures], args);
  const [, refusal, missing, isOver, looked] = reply as [number, Buffer, number[], number, number];
  if (refusal.length > 0) throw new UnusableRedisError(`Redis refuses to take a message out: ${String(refusal)}`);
  return {
    missing: missing.flatMap((number) => (left[number - 1] ? [left[number - 1] as Seen] : [])),
    isOver: isOver === 1,
    looked,
  };
}
