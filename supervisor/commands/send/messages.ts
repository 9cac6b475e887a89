import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';

import { membersOf } from '../../../src/domain/json-text.js';
import { parseMessage } from '../../../src/domain/message.js';

/** A message that workers will take. */
export interface ReadyMessage {
  readonly id: string;
  readonly raw: Buffer;
}

export interface MessageFields {
  readonly sender?: string | undefined;
  readonly body?: string | undefined;
  readonly clientId?: string | undefined;
  readonly domain?: string | undefined;
}

/**
 * A message as the proxy makes it: the same keys in the same order, `queued_at` in UTC with `Z`.
 *
 * @param wallNowMs milliseconds since the Unix epoch.
 */
export function composeMessage(fields: MessageFields, wallNowMs: number): ReadyMessage {
  const id = randomUUID();
  const queuedAt = new Date(wallNowMs).toISOString();
  const clientId = fields.clientId ?? 'message-broker-worker';
  const domain = fields.domain ?? 'default';
  const raw = Buffer.from(
    JSON.stringify({
      message_id: id,
      sender_number: fields.sender ?? '+10000000000',
      message_body: fields.body ?? 'Test message',
      client_id: clientId,
      domain,
      queued_at: queuedAt,
      attempt_count: 0,
      metadata: { timestamp: queuedAt, client_id: clientId, domain },
    }),
  );
  return { id, raw };
}

/** Why it is not sent: the end of a sentence, without anything from the message. */
interface Refused {
  readonly problem: string;
}

/**
 * JSON text of one message, with `message_id` and `queued_at` put in front where they are missing. Nothing else of the text
 * changes: numbers above 2^53 would not survive being parsed and written again.
 *
 * @param withNewId gives it a new id in any case, for the second and further copies.
 */
export function completeMessage(text: string, wallNowMs: number, withNewId = false): ReadyMessage | Refused {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'it is not valid JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { problem: 'it is not a JSON object' };
  const complete = withMissing(text.trim(), value, wallNowMs);
  const raw = withNewId ? withId(Buffer.from(complete), randomUUID()) : Buffer.from(complete);
  const parsed = parseMessage(raw);
  if (parsed.ok) return { id: parsed.message.id, raw };
  return { problem: parsed.problem.replace(/^The message /, 'it ').replace(/\.$/, '') };
}

/** The same of a line of a file, in which bytes that are no text must not become replacement characters. */
export function completeLine(bytes: Buffer, wallNowMs: number): ReadyMessage | Refused {
  return isUtf8(bytes) ? completeMessage(bytes.toString('utf8'), wallNowMs) : { problem: 'it is not valid UTF-8' };
}

function withMissing(text: string, value: object, wallNowMs: number): string {
  const missing = [
    ...(Object.hasOwn(value, 'message_id') ? [] : [`"message_id":"${randomUUID()}"`]),
    ...(Object.hasOwn(value, 'queued_at') ? [] : [`"queued_at":"${new Date(wallNowMs).toISOString()}"`]),
  ];
  if (missing.length === 0) return text;
  const rest = text.slice(1).trimStart();
  return `{${missing.join(',')}${rest.startsWith('}') ? '' : ','}${rest}`;
}

/** Of duplicates the last is changed, since every parser reads the last. */
function withId(raw: Buffer, id: string): Buffer {
  const found = [...membersOf(raw.toString('latin1'))].findLast(({ key }) => key === 'message_id');
  if (!found) return raw;
  return Buffer.concat([
    raw.subarray(0, found.valueStart),
    Buffer.from(JSON.stringify(id)),
    raw.subarray(found.valueEnd),
  ]);
}
