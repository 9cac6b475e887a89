/** Dead letters that have lain for as long as they are kept. */
import type { RedisConnection } from '../connection/connection.js';
import { redisScript } from '../connection/script.js';
import type { RedisKeys } from '../keys.js';
import type { DeadLetterExpiry } from '../background-queue.js';
import { timeOf } from './bounds.js';
import { purgeDeed } from './deeds.js';
import { walkStep, type Match } from './index-walk.js';

/** Of one supervisor that died another takes the turn over then. */
const TURN_MS = 30_000;
/** Letters deleted in a step: 2 ms of Redis. */
const STEP_LETTERS = 200;

const turnScript = redisScript('found-lists/turn');

export function createDeadLetterExpiry(connection: RedisConnection, keys: RedisKeys): DeadLetterExpiry {
  const purge = purgeDeed(connection, keys);
  return {
    async takeExpiry(id) {
      return (await turnScript.run(connection, [keys.deadExpirer], [id, TURN_MS])) === 1;
    },
    async leaveExpiry(id) {
      await turnScript.run(connection, [keys.deadExpirer], [id, 0]);
    },
    redisTime: () => timeOf(connection),
    async expireDeadLetters(beforeMs, after) {
      const step = await walkStep(connection, keys, {
        towards: 'newer',
        after,
        filter: {},
        lowest: '-inf',
        highest: beforeMs.toFixed(3),
        mostLooked: STEP_LETTERS,
        mostMatches: STEP_LETTERS,
        withLetters: true,
      });
      const expired = step.matches.filter((match) => isOlder(match, beforeMs));
      // nobody delivers it, so Redis's clock may say when its telling is over
      const { done, beingTold } =
        expired.length > 0 ? await purge.act(expired, await timeOf(connection)) : NOTHING_DONE;
      const gone = new Set(expired.filter(({ line }) => !beingTold.has(line)));
      const kept = step.matches.filter((match) => !gone.has(match)).at(-1) ?? after;
      return { deleted: done, isOver: step.isLast || step.looked === 0, after: kept };
    },
  };
}

const NOTHING_DONE = { done: 0, beingTold: new Set<string>() };

/** By its own word too: Redis's clock may have been behind when it was put into the index. */
function isOlder({ entry }: Match, beforeMs: number): boolean {
  const diedAt = Date.parse(entry.letter?.deadAt ?? '');
  return !(diedAt > beforeMs);
}
