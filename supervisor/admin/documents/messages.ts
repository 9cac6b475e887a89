/** Messages as the routes and the command `message` show them. */
import { isUtf8, type Buffer } from 'node:buffer';

import { factsOf } from '../../../src/domain/filter/facts.js';
import { PLACES, type MessagePlace } from '../../../src/domain/filter/message-filter.js';
import type { FailedAttempt } from '../../../src/domain/failures/failed-attempt.js';
import { ownerOf } from '../../../src/queue/keys.js';
import type { QueueSizes } from '../../../src/queue/message-queue.js';
import type { AnyMessage, MessagePage } from '../../../src/queue/messages/listing.js';
import { failureDocument } from './failures.js';
import {
  SCHEMA_VERSION,
  type MessageCopy,
  type MessageDetails,
  type MessageList,
  type MessageSummary,
} from '../protocol.js';

export function messageSummary(message: AnyMessage): MessageSummary {
  const { facts, bytes, failures } = contentOf(message);
  const last = failures.at(-1);
  return {
    ...whereOf(message),
    message_id: facts.messageId ?? null,
    client_id: facts.client ?? null,
    domain: facts.domain ?? null,
    attempt_count: facts.attemptCount,
    queued_at: isoOrNull(facts.queuedAtMs),
    size_bytes: bytes,
    last_failure: last ? { at: last.at, reason: last.reason, status: last.status ?? null } : null,
  };
}

/** @param mostBytes longer messages are cut. */
export function messageDetails(id: string, copies: readonly AnyMessage[], mostBytes: number): MessageDetails {
  const counts = copies.map((copy) => contentOf(copy).facts.attemptCount);
  return {
    schema_version: SCHEMA_VERSION,
    message_id: id,
    places: copies.map((copy) => messageCopy(copy, mostBytes)),
    attempt_count: counts.length === 0 ? null : Math.max(...counts),
    failures: newestOf(copies).map(failureDocument),
  };
}

function messageCopy(message: AnyMessage, mostBytes: number): MessageCopy {
  const { raw, bytes } = contentOf(message);
  const shown = raw.subarray(0, mostBytes);
  return {
    ...messageSummary(message),
    ...(isText(raw) ? { message: shown.toString('utf8') } : { message_base64: shown.toString('base64') }),
    message_truncated: shown.length < bytes,
  };
}

/** A cut may split a character, so the bytes of one more or less at the end decide nothing. */
export function isText(raw: Buffer): boolean {
  return [0, 1, 2, 3].some((cut) => isUtf8(raw.subarray(0, raw.length - cut)));
}

/** The failures of an id are one list for all its living copies; a dead letter has its own. */
function newestOf(copies: readonly AnyMessage[]): readonly FailedAttempt[] {
  const lists = copies.map((copy) => contentOf(copy).failures);
  return lists.reduce((newest, list) => ((list.at(-1)?.at ?? '') > (newest.at(-1)?.at ?? '') ? list : newest), []);
}

function contentOf(message: AnyMessage) {
  if (message.place !== 'dead') {
    const { raw, bytes, failures } = message;
    return { facts: message, raw, bytes, failures };
  }
  const { letter, stored, storedBytes, messageId, client, domain } = message.entry;
  const raw = letter?.raw ?? stored;
  const { queuedAtMs } = factsOf(raw);
  const facts = { messageId, client, domain, queuedAtMs, attemptCount: letter?.attemptCount ?? 0 };
  return { facts, raw, bytes: letter?.rawBytes ?? storedBytes, failures: letter?.failures ?? [] };
}

function whereOf(message: AnyMessage) {
  switch (message.place) {
    case 'waiting':
      return { place: message.place, number: message.number };
    case 'in_flight': {
      const { workerId, host = null } = ownerOf(message.consumer);
      return { place: message.place, begun: null, worker_id: workerId, host };
    }
    case 'retry': {
      const { place, dueInMs, intervalMs } = message;
      const interval = intervalMs === undefined ? null : intervalMs / 1_000;
      return { place, due_in_seconds: Math.max(0, dueInMs) / 1_000, interval_seconds: interval };
    }
    case 'dead': {
      const { unique, place, reason, letter } = message.entry;
      const error = letter?.error ?? 'This is no dead letter that a worker wrote.';
      return { place: message.place, key: unique, number: place, reason, error, dead_at: letter?.deadAt ?? null };
    }
  }
}

function isoOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

export function messageList(
  { entries, looked, next }: MessagePage<MessageSummary>,
  { waiting, processing, retrying, dead }: QueueSizes,
  places: readonly MessagePlace[] = PLACES,
): MessageList {
  const sizes = { waiting, in_flight: processing, retry: retrying, dead };
  return {
    schema_version: SCHEMA_VERSION,
    total: places.reduce((sum, place) => sum + sizes[place], 0),
    looked_at: looked,
    messages: entries,
    next: next ?? null,
  };
}
