/** What the walks over waiting messages, claims and retries have in common. */
import type { Buffer } from 'node:buffer';
import { isCancelMarker } from '../../domain/cancelled.js';
import { factsOf, isMeant, type MessageFacts } from '../../domain/filter/facts.js';
import { timeBoundsOf, type MessageFilter } from '../../domain/filter/message-filter.js';
import type { FailedAttempt } from '../../domain/failures/failed-attempt.js';
import type { Clock } from '../../shared/time/clock.js';
import type { RedisConnection } from '../connection/connection.js';
import { readFailures } from '../failures/reading.js';
import type { RedisKeys } from '../keys.js';
import type { LivingMessage } from './found.js';

export interface WalkRequest {
  readonly filter: MessageFilter;
  /** `next` of an earlier step: it goes on there. */
  readonly after?: string;
  /** In one step; as many as it meets. */
  readonly mostMatches?: number;
  /** Of a longer message the beginning is read; whole messages. */
  readonly mostBytes?: number;
  /** What is kept of failed attempts is read as well; only if the filter asks for it. */
  readonly withFailures?: boolean;
}

export interface WalkStep<Message> {
  readonly found: readonly Message[];
  /** Entries looked at in this step. */
  readonly looked: number;
  /** Entries that there are in all, meant or not. */
  readonly total: number;
  /** Where the next step begins; undefined = it is over. */
  readonly next: string | undefined;
}

export type LivingPlace = LivingMessage['place'];
/** In the order in which a message passes through them. */
export const LIVING_PLACES: readonly LivingPlace[] = ['waiting', 'in_flight', 'retry'];

export interface MessageWalks {
  /**
   * Step by step what the filter means of those that lie in one place: waiting ones from the newest to the oldest, retries
   * from the one due first, not beyond the last that is there at the start.
   */
  walk<Place extends LivingPlace>(
    place: Place,
    request: WalkRequest,
  ): AsyncGenerator<WalkStep<Extract<LivingMessage, { place: Place }>>>;
}

export interface WalkTools {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly clock: Clock;
}

/** 1,000 messages of 300 bytes take Redis 2 ms. */
export const STEP_ENTRIES = 1_000;
/** Entries read at once to begin with: see lua/parts/stepwise.lua. */
export const FIRST_AT_ONCE = 4;
/** Between two steps, so that those who deliver get their turn. */
export const PAUSE_MS = 1;

/** For lua/parts/wanted.lua. */
export function wantedArguments(filter: MessageFilter, nowMs: number): (string | number)[] {
  const { idPrefix = '', client = '', domain = '', text = '', ids = [] } = filter;
  const { from, to } = timeBoundsOf(filter, nowMs);
  const times = [from === -Infinity ? '' : digits(from), to === Infinity ? '' : digits(to)];
  return [idPrefix, client, domain, text, ...times, ...ids];
}

/** Of what Redis holds to be possible, what the filter means. */
export async function meant<Message extends { readonly raw: Buffer }>(
  { connection, keys }: WalkTools,
  { filter, withFailures = false }: WalkRequest,
  possible: readonly Message[],
  nowMs: number,
): Promise<(Message & MessageFacts & { readonly failures: readonly FailedAttempt[] })[]> {
  const found = possible.flatMap((message) => {
    if (isCancelMarker(message.raw)) return [];
    const facts = factsOf(message.raw);
    return isMeant(filter, facts, nowMs) ? [{ ...message, ...facts }] : [];
  });
  const isAsked = filter.reason !== undefined || filter.answer !== undefined;
  const ids = withFailures || isAsked ? new Set(found.flatMap(({ messageId }) => messageId ?? [])) : [];
  const failures = await readFailures(connection, keys, [...ids]);
  return found
    .map((message) => ({ ...message, failures: failures.get(message.messageId ?? '') ?? [] }))
    .filter((message) => !isAsked || hasFailed(filter, message.failures.at(-1)));
}

function hasFailed({ reason, answer }: MessageFilter, last: FailedAttempt | undefined): boolean {
  return (
    (reason === undefined || last?.reason === reason) &&
    (answer === undefined || last?.answer?.includes(answer) === true)
  );
}

const LAST_MS = Date.parse('9999-12-31T23:59:59Z');

/** `20260115103000`. */
function digits(ms: number): string {
  return new Date(Math.min(Math.max(ms, 0), LAST_MS)).toISOString().replace(/\..*|\D/g, '');
}
