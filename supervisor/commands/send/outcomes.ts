/** What became of messages that were sent: looked for in Redis again and again, until none is left there. */
import type { OperatorQueue } from '../../../src/queue/operator-queue.js';
import { LIVING_PLACES, type LivingPlace } from '../../../src/queue/messages/walk.js';
import { systemClock } from '../../../src/shared/time/clock.js';

/** Where a message was seen last; `delivered` = it has left Redis. */
export interface Outcome {
  readonly place: LivingPlace | 'dead' | 'delivered';
  /** Why it is dead, or why its last attempt failed. */
  readonly reason?: string;
}

interface Wait {
  readonly ids: readonly string[];
  /** Letters that died before are of others with the same id; ms since the Unix epoch on Redis's clock. */
  readonly sinceMs: number;
  readonly timeoutMs: number;
  readonly onLook: (left: ReadonlyMap<string, Outcome>) => void;
}

/** At one that is passing from one place to the next a look can miss it, but not two. */
const LOOKS_WITHOUT = 2;
const LOOK_EVERY_MS = 200;

/** Resolves when all are delivered or dead, or the time is over. */
export async function outcomesOf(
  queue: Pick<OperatorQueue, 'messages' | 'deadLetters'>,
  { ids, sinceMs, timeoutMs, onLook }: Wait,
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>(ids.map((id) => [id, { place: 'waiting' }]));
  const missed = new Map<string, number>();
  const until = systemClock.now() + timeoutMs;
  for (;;) {
    const startedAt = systemClock.now();
    const open = [...outcomes].filter(([, { place }]) => !isOver(place)).map(([id]) => id);
    const seen = await look(queue, open, sinceMs);
    for (const id of open) {
      const outcome = seen.get(id);
      if (outcome) outcomes.set(id, outcome);
      const looks = outcome ? 0 : (missed.get(id) ?? 0) + 1;
      missed.set(id, looks);
      if (looks >= LOOKS_WITHOUT) outcomes.set(id, { place: 'delivered' });
    }
    const left = new Map([...outcomes].filter(([, { place }]) => !isOver(place)));
    if (left.size === 0 || systemClock.now() >= until) return outcomes;
    onLook(left);
    // Redis is busy with us for half of the time at most
    await systemClock.sleep(Math.max(LOOK_EVERY_MS, systemClock.now() - startedAt));
  }
}

function isOver(place: Outcome['place']): boolean {
  return place === 'dead' || place === 'delivered';
}

async function look(
  { messages, deadLetters }: Pick<OperatorQueue, 'messages' | 'deadLetters'>,
  ids: readonly string[],
  sinceMs: number,
): Promise<Map<string, Outcome>> {
  const seen = new Map<string, Outcome>();
  for (const place of LIVING_PLACES) {
    for await (const { found } of messages.walk(place, { filter: { ids }, withFailures: true })) {
      for (const { messageId, failures } of found) {
        const reason = failures.at(-1)?.reason;
        if (messageId !== undefined) seen.set(messageId, { place, ...(reason === undefined ? {} : { reason }) });
      }
    }
  }
  const dead = await deadLetters.list({ filter: { ids, sinceMs }, limit: ids.length }, (letter) => letter);
  for (const { messageId, reason } of dead.entries) {
    if (messageId !== undefined) seen.set(messageId, { place: 'dead', reason });
  }
  return seen;
}
