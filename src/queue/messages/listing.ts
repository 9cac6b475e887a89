/** Pages of messages over several places, one after the other. */
import { Buffer } from 'node:buffer';
import { PLACES, type MessageFilter, type MessagePlace } from '../../domain/filter/message-filter.js';
import type { Clock } from '../../shared/time/clock.js';
import type { DeadLetters } from '../dead-letters/dead-letters.js';
import type { DeadLetterEntry } from '../dead-letters/entry.js';
import type { LivingMessage } from './found.js';
import type { MessageWalks, WalkStep } from './walk.js';

export interface DeadMessage {
  readonly place: 'dead';
  readonly entry: DeadLetterEntry;
}

export type AnyMessage = LivingMessage | DeadMessage;

export interface MessageQuery {
  /** Its places, all without any, in the order of LISTED. */
  readonly filter: MessageFilter;
  readonly limit: number;
  /** `next` of an earlier page: it goes on there. */
  readonly after?: string;
  /** Then what was found is returned. */
  readonly budgetMs?: number;
  /** Nobody waits for the page any more: what was found is returned. */
  readonly isAbandoned?: () => boolean;
  readonly onProgress?: (progress: MessageProgress) => void;
}

export interface MessageProgress {
  readonly place: MessagePlace;
  /** Of `total` in this place. */
  readonly looked: number;
  readonly total: number;
  readonly found: number;
}

export interface MessagePage<T> {
  readonly entries: readonly T[];
  /** Looked at for this page. */
  readonly looked: number;
  /** Where the next page begins; undefined = this is the last. */
  readonly next: string | undefined;
}

/** Few, and of interest now, before many. */
const LISTED: readonly MessagePlace[] = ['in_flight', 'retry', 'waiting', 'dead'];
/** Of a longer message no more is read for a list. */
const LISTED_BYTES = 65_536;

interface Tools {
  readonly walks: MessageWalks;
  readonly deadLetters: Pick<DeadLetters, 'list'>;
  readonly clock: Clock;
}

export async function listMessages<T>(
  tools: Tools,
  query: MessageQuery,
  shown: (message: AnyMessage) => T,
): Promise<MessagePage<T>> {
  const { places = PLACES, dueWithinMs } = query.filter;
  const until = tools.clock.now() + (query.budgetMs ?? Infinity);
  const start = readCursor(query.after);
  const asked = LISTED.filter((place) => places.includes(place) && (dueWithinMs === undefined || place === 'retry'));
  const left = start ? asked.slice(Math.max(0, asked.indexOf(start.place))) : asked;
  const entries: T[] = [];
  let looked = 0;
  for (const [at, place] of left.entries()) {
    const after = start?.place === place ? start.cursor : '';
    const page = await partOf(tools, place, { ...query, limit: query.limit - entries.length, after }, until);
    for (const message of page.entries) entries.push(shown(message));
    looked += page.looked;
    if (page.next !== undefined) return { entries, looked, next: cursorText(place, page.next) };
    const following = left[at + 1];
    if (following !== undefined && entries.length >= query.limit) {
      return { entries, looked, next: cursorText(following, '') };
    }
  }
  return { entries, looked, next: undefined };
}

function partOf(
  tools: Tools,
  place: MessagePlace,
  query: MessageQuery,
  until: number,
): Promise<MessagePage<AnyMessage>> {
  return place === 'dead' ? deadPart(tools, query, until) : livingPart(tools, place, query, until);
}

async function livingPart(
  { walks, clock }: Tools,
  place: LivingMessage['place'],
  { filter, limit, after = '', isAbandoned, onProgress }: MessageQuery,
  until: number,
): Promise<MessagePage<AnyMessage>> {
  const entries: LivingMessage[] = [];
  let [looked, next]: [number, string | undefined] = [0, after];
  while (next !== undefined) {
    const request = { filter, mostMatches: limit - entries.length, mostBytes: LISTED_BYTES, withFailures: true };
    // one step: what a step may find gets less with each
    const step: WalkStep<LivingMessage> | undefined = await first<WalkStep<LivingMessage>>(
      walks.walk(place, next === '' ? request : { ...request, after: next }),
    );
    if (!step) break;
    entries.push(...step.found);
    looked += step.looked;
    next = step.next;
    onProgress?.({ place, looked, total: step.total, found: entries.length });
    if (entries.length >= limit || clock.now() >= until || isAbandoned?.() === true) break;
    await clock.sleep(1);
  }
  return { entries, looked, next };
}

async function first<T>(generator: AsyncGenerator<T>): Promise<T | undefined> {
  for await (const one of generator) return one;
  return undefined;
}

async function deadPart(
  { deadLetters, clock }: Tools,
  { filter, limit, after = '', isAbandoned, onProgress }: MessageQuery,
  until: number,
): Promise<MessagePage<AnyMessage>> {
  const query = {
    filter,
    limit,
    budgetMs: until - clock.now(),
    ...(after === '' ? {} : { after }),
    ...(isAbandoned ? { isAbandoned } : {}),
    onProgress: (progress: Omit<MessageProgress, 'place'>) => onProgress?.({ place: 'dead', ...progress }),
  };
  const page = await deadLetters.list(query, (entry): AnyMessage => ({ place: 'dead', entry }));
  return { entries: page.entries, looked: page.looked, next: page.cursor };
}

function cursorText(place: MessagePlace, cursor: string): string {
  return Buffer.from(`${place}:${cursor}`).toString('base64url');
}

/** @returns undefined also when it is none of ours: the list then begins at the first. */
function readCursor(text = ''): { readonly place: MessagePlace; readonly cursor: string } | undefined {
  const [, word, cursor = ''] = /^(\w+):(.*)$/s.exec(Buffer.from(text, 'base64url').toString('utf8')) ?? [];
  const place = PLACES.find((known) => known === word);
  return place && { place, cursor };
}
