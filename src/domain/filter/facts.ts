import type { Buffer } from 'node:buffer';
import { scannedAttemptCount } from '../attempt-count.js';
import { isUsableId, parseMessage } from '../message.js';
import { parseQueuedAt } from '../queued-at.js';
import { scannedTexts } from '../scanned-texts.js';
import { timeBoundsOf, type MessageFilter } from './message-filter.js';

/** What lists tell of a message, and filters ask of it. */
export interface MessageFacts {
  /** Undefined when it has none that can be used: a worker will bury it as malformed. */
  readonly messageId: string | undefined;
  readonly client: string | undefined;
  readonly domain: string | undefined;
  /** Failed attempts so far. */
  readonly attemptCount: number;
  /** Ms since the Unix epoch, on a producer's clock. */
  readonly queuedAtMs: number | undefined;
}

const NAMES = ['message_id', 'client_id', 'domain', 'queued_at'];
/** Larger messages are not parsed to be listed. */
const PARSED_BYTES = 65_536;

/** @param raw the message, or the beginning of it. */
export function factsOf(raw: Buffer): MessageFacts {
  const { message_id: id, client_id: client, domain, queued_at: queuedAt } = scannedTexts(raw, NAMES);
  const parsed = parseMessage(raw, PARSED_BYTES);
  return {
    messageId: id !== undefined && isUsableId(id) ? id : undefined,
    client,
    domain,
    attemptCount: parsed.ok ? parsed.message.attemptCount : scannedAttemptCount(raw),
    queuedAtMs: parseQueuedAt(queuedAt),
  };
}

/** Of a message that is not dead, by all that its facts tell; texts, failures and due times are others' to look at. */
export function isMeant(filter: MessageFilter, facts: MessageFacts, nowMs: number): boolean {
  const { messageId, client, domain, queuedAtMs = NaN } = facts;
  const { from, to } = timeBoundsOf(filter, nowMs);
  return (
    (filter.ids === undefined || (messageId !== undefined && filter.ids.includes(messageId))) &&
    (filter.idPrefix === undefined || messageId?.startsWith(filter.idPrefix) === true) &&
    (filter.client === undefined || client === filter.client) &&
    (filter.domain === undefined || domain === filter.domain) &&
    // a comparison with NaN is false: when it was queued is not known
    (from === -Infinity || queuedAtMs >= from) &&
    (to === Infinity || queuedAtMs <= to)
  );
}
