/** Which messages are meant: the same everywhere, on the command line, over HTTP and on the page. */

/** Where a message can be; `in_flight` = claimed, whether its delivery has begun or not. */
export const PLACES = ['waiting', 'in_flight', 'retry', 'dead'] as const;
export type MessagePlace = (typeof PLACES)[number];

/** What is left out restricts nothing. */
export interface MessageFilter {
  readonly places?: readonly MessagePlace[];
  /** Why a dead letter died, or the reason of a message's last failed attempt: no word means both. */
  readonly reason?: string;
  /** `client_id` of the message. */
  readonly client?: string;
  readonly domain?: string;
  /** Message ids, or keys of dead letters. */
  readonly ids?: readonly string[];
  /** The message id begins with it. */
  readonly idPrefix?: string;
  /** Stands in the message or in the error, upper and lower case as it is. */
  readonly text?: string;
  /** Stands in what the main server answered to the last failed attempt. */
  readonly answer?: string;
  /** Dead for at least this long; of all others, queued at least this long ago. */
  readonly olderThanMs?: number;
  /** Dead or queued for at most this long. */
  readonly newerThanMs?: number;
  /** Dead or queued at this time or later, in ms since the Unix epoch. */
  readonly sinceMs?: number;
  /** Dead or queued at this time or earlier, in ms since the Unix epoch. */
  readonly untilMs?: number;
  /** Its retry is due in this time or less. */
  readonly dueWithinMs?: number;
}

/** It means all that lie where it looks. */
export function isUnfiltered(filter: MessageFilter): boolean {
  return Object.entries(filter).every(([name, value]) => value === undefined || name === 'places');
}

interface TimeBounds {
  /** Ms since the Unix epoch; -Infinity and Infinity = any. */
  readonly from: number;
  readonly to: number;
}

/** Between which times, both of them included, a message died or was queued that is meant. */
export function timeBoundsOf(
  { olderThanMs = -Infinity, newerThanMs = Infinity, sinceMs = -Infinity, untilMs = Infinity }: MessageFilter,
  nowMs: number,
): TimeBounds {
  return { from: Math.max(nowMs - newerThanMs, sinceMs), to: Math.min(nowMs - olderThanMs, untilMs) };
}

/** Why no message can be meant, as a sentence; undefined = some may be. Ages and times are of two clocks, and not compared. */
export function contradictionIn(filter: MessageFilter): string | undefined {
  const { olderThanMs = 0, newerThanMs = Infinity, sinceMs = -Infinity, untilMs = Infinity } = filter;
  if (olderThanMs > newerThanMs || sinceMs > untilMs) {
    return 'The times exclude each other: no message can lie between them.';
  }
  const { places, dueWithinMs } = filter;
  if (dueWithinMs === undefined || places === undefined || places.includes('retry')) return undefined;
  return 'Only retries are due at some time, and they are not among the places that are asked for.';
}

/** It asks for a time of death or of queueing. */
export function isTimed({ olderThanMs, newerThanMs, sinceMs, untilMs }: MessageFilter): boolean {
  return [olderThanMs, newerThanMs, sinceMs, untilMs].some((bound) => bound !== undefined);
}
