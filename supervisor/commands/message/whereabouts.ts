/** Why nothing was done to messages that were asked for by id: a sentence each. */
import type { OperatorQueue } from '../../../src/queue/operator-queue.js';
import { printable } from '../../../src/shared/words/escape.js';

type Place = 'waiting' | 'in_flight' | 'dead';

const WORDS: Readonly<Record<Place, string>> = {
  waiting: 'waits for a worker already',
  in_flight: 'is claimed by a worker, which decides what becomes of it: see "message show", and repeat the command',
  dead: 'is a dead letter: see "dead show" and "dead replay"',
};

/** `places`: where it may be beside those that were looked through. */
export async function whereabouts(
  queue: Pick<OperatorQueue, 'messages' | 'deadLetters'>,
  ids: readonly string[],
  places: readonly Place[],
): Promise<readonly string[]> {
  const found = new Map<string, Place>();
  for (const place of places) {
    const left = ids.filter((id) => !found.has(id));
    if (left.length > 0) for (const id of await lookIn(place, queue, left)) found.set(id, place);
  }
  return ids.map((id) => {
    const place = found.get(id);
    return `Message ${printable(id, 255)} ${place ? WORDS[place] : 'is not in Redis: delivered, removed, or never seen'}.`;
  });
}

async function lookIn(
  place: Place,
  { messages, deadLetters }: Pick<OperatorQueue, 'messages' | 'deadLetters'>,
  ids: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  if (place === 'dead') {
    const page = await deadLetters.list({ filter: { ids }, limit: 2 * ids.length }, ({ messageId }) => messageId);
    return page.entries.filter((id) => id !== undefined);
  }
  const wanted = new Set(ids);
  for await (const step of messages.walk(place, { filter: { ids } })) {
    for (const { messageId } of step.found) if (messageId !== undefined && wanted.has(messageId)) found.push(messageId);
  }
  return found;
}
