/**
 * One message by its id, in all places. Messages move while they are looked for: along the way of each, from waiting over
 * claimed to retry or dead, the look goes the same way, so that one that moves on is met again and not missed. What moved
 * against it, back to the queue, is met by a second look, which is quick: at the newest and at the few places that are small.
 */
import type { MessageFilter } from '../../domain/filter/message-filter.js';
import type { DeadLetters } from '../dead-letters/dead-letters.js';
import type { LivingMessage } from './found.js';
import type { AnyMessage, MessageProgress } from './listing.js';
import type { LivingPlace, MessageWalks } from './walk.js';

export interface FindOptions {
  /** Of a longer message the beginning is read; the whole. */
  readonly mostBytes?: number;
  readonly onProgress?: (progress: MessageProgress) => void;
  /** Nobody waits for it any more: what was found is returned. */
  readonly isAbandoned?: () => boolean;
}

interface Tools {
  readonly walks: MessageWalks;
  readonly deadLetters: Pick<DeadLetters, 'list'>;
}

interface Look extends FindOptions {
  readonly filter: MessageFilter;
}

/** Of the newest so many are looked at again: what was put back meanwhile is among them. */
const SECOND_LOOK = 10_000;
/** More letters of one id are not listed. */
const MOST_LETTERS = 100;

/** In the places that it passes, in this order. */
export async function findMessage(tools: Tools, id: string, options: FindOptions = {}): Promise<readonly AnyMessage[]> {
  const look = { ...options, filter: { ids: [id] } };
  const living = [
    ...(await walkOver(tools, 'waiting', look)),
    ...(await walkOver(tools, 'in_flight', look)),
    ...(await walkOver(tools, 'retry', look)),
  ];
  const dead = await deadOf(tools, look);
  const isSure = living.length + dead.length === 1 || (living.length === 0 && dead.length > 0);
  if (isSure || options.isAbandoned?.() === true) return [...living, ...dead];
  // one that moved on was met twice, or moved back and was met nowhere
  const now = await livingNow(tools, look, living);
  return [...now, ...(dead.length > 0 || now.length > 0 ? dead : await deadOf(tools, look))];
}

async function livingNow(
  tools: Tools,
  look: Look,
  before: readonly LivingMessage[],
): Promise<readonly LivingMessage[]> {
  const found: LivingMessage[] = [];
  for (const [from, to] of worthLooking(before)) found.push(...(await walkOver(tools, 'waiting', look, from, to)));
  found.push(...(await walkOver(tools, 'in_flight', look)));
  found.push(...(await walkOver(tools, 'retry', look)));
  return found;
}

/** Indexes of the queue: the newest, and where those that were met may be by now. */
function worthLooking(before: readonly LivingMessage[]): readonly (readonly [from: number, to: number])[] {
  const indexes = before.flatMap((message) => (message.place === 'waiting' ? [message.index] : []));
  if (indexes.length === 0) return [[0, SECOND_LOOK]];
  const [lowest, highest] = [Math.min(...indexes), Math.max(...indexes) + SECOND_LOOK];
  if (lowest <= SECOND_LOOK) return [[0, highest]];
  return [
    [0, SECOND_LOOK],
    [lowest, highest],
  ];
}

async function walkOver(
  { walks }: Tools,
  place: LivingPlace,
  { filter, mostBytes, onProgress, isAbandoned }: Look,
  from = 0,
  to = Infinity,
): Promise<LivingMessage[]> {
  const found: LivingMessage[] = [];
  let looked = from;
  const request = { filter, withFailures: true, ...(mostBytes === undefined ? {} : { mostBytes }) };
  for await (const step of walks.walk(place, from === 0 ? request : { ...request, after: String(from) })) {
    found.push(...step.found);
    looked += step.looked;
    onProgress?.({ place, looked, total: step.total, found: found.length });
    if (looked >= to || isAbandoned?.() === true) break;
  }
  return found;
}

async function deadOf({ deadLetters }: Tools, { filter, onProgress, isAbandoned }: Look): Promise<AnyMessage[]> {
  const query = {
    filter,
    limit: MOST_LETTERS,
    ...(isAbandoned ? { isAbandoned } : {}),
    onProgress: (progress: Omit<MessageProgress, 'place'>) => onProgress?.({ place: 'dead', ...progress }),
  };
  return [...(await deadLetters.list(query, (entry): AnyMessage => ({ place: 'dead', entry }))).entries];
}
