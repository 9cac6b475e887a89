/** Very many messages, put into Redis fast, in the forms in which workers leave them. */
import { Buffer } from 'node:buffer';
import { deadLetter, readDeadLetter } from '../../../src/domain/dead-letters/dead-letter.js';
import { indexLine, readIndexLine } from '../../../src/domain/dead-letters/index-line.js';
import { failureLine } from '../../../src/domain/failures/failed-attempt.js';
import type { Stage } from './stage.js';

interface Seeds {
  readonly count: number;
  /** Number n has the id `<kind><n>`. */
  readonly kind: string;
  readonly clientOf: (number: number) => string;
}

const CHUNK = 1_000;
const INTERVAL_MS = 3_600_000;
/** So long ago that no status of it can be on its way. */
const FAILED_AGO_MS = 120_000;
/** As many as are kept of a message. */
const ATTEMPTS = 5;
/** What is kept of the failed attempts of more than these would be over the bound of that book. */
const WITH_ATTEMPTS = 20_000;

/** The one with number 0 is the oldest. */
export async function seedWaiting({ client, keys }: Stage, seeds: Seeds): Promise<void> {
  await inChunks(seeds, (texts) => client.lpush(keys.queue, ...texts));
}

/** They are due in an hour; the first of them have failed as often as is kept. */
export async function seedRetries({ client, keys }: Stage, seeds: Seeds): Promise<void> {
  const [seconds = 0] = (await client.time()).map(Number);
  const due = seconds * 1_000 + INTERVAL_MS - FAILED_AGO_MS;
  const lines = attempts((seconds - FAILED_AGO_MS) * 1_000);
  await inChunks(seeds, async (texts, ids, from) => {
    const members = texts.map((text, at) => `${uniqueOf(from + at)} ${ids[at]} ${INTERVAL_MS}:${text}`);
    await client.zadd(keys.retry, ...members.flatMap((member) => [String(due), member]));
    if (from < WITH_ATTEMPTS) await client.hset(keys.failures, ...ids.flatMap((id) => [id, lines]));
  });
}

/** The main server has heard of them. */
export async function seedDead({ client, keys }: Stage, seeds: Seeds): Promise<void> {
  const diedAt = Date.now() - 2 * INTERVAL_MS;
  const about = {
    reason: 'max_attempts_exceeded',
    error: 'HTTP 503',
    attemptCount: 3,
    workerId: 'worker-1',
    deadAt: diedAt,
  } as const;
  await inChunks(seeds, async (texts, _, from) => {
    const letters = texts.map((text, at) => {
      const stored = deadLetter({ ...about, raw: Buffer.from(text) });
      const unique = uniqueOf(from + at);
      return { unique, stored, line: indexLine(unique, readDeadLetter(stored)) };
    });
    await client.hset(keys.deadLetters, ...letters.flatMap(({ unique, stored }) => [unique, stored]));
    await client.zadd(
      keys.deadIndex,
      ...letters.flatMap(({ line }, at) => [String(diedAt + (from + at) / 1_000), line]),
    );
  });
}

/** How many dead letters there are of each id, by the index; rejects where index and letters do not tell the same. */
export async function deadIds({ client, keys }: Stage): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const total = await client.zcard(keys.deadIndex);
  for (let from = 0; from < total; from += CHUNK) {
    const lines = await client.zrange(keys.deadIndex, from, String(from + CHUNK - 1));
    const entries = lines.map(readIndexLine);
    const letters =
      entries.length === 0 ? [] : await client.hmgetBuffer(keys.deadLetters, ...entries.map(({ unique }) => unique));
    for (const [at, { messageId = '' }] of entries.entries()) {
      const letter = readDeadLetter(letters[at] ?? Buffer.alloc(0));
      if (!letter?.raw.includes(`"message_id":"${messageId}"`)) throw new Error(`${lines[at]} has another letter`);
      found.set(messageId, (found.get(messageId) ?? 0) + 1);
    }
  }
  const letters = await client.hlen(keys.deadLetters);
  if (letters !== total) throw new Error(`${total} lines in the index of ${letters} dead letters`);
  return found;
}

async function inChunks(
  { count, kind, clientOf }: Seeds,
  put: (texts: readonly string[], ids: readonly string[], from: number) => Promise<unknown>,
): Promise<void> {
  for (let from = 0; from < count; from += CHUNK) {
    const numbers = Array.from({ length: Math.min(CHUNK, count - from) }, (_, at) => from + at);
    const ids = numbers.map((number) => `${kind}${number}`);
    const texts = numbers.map((number, at) => messageText(ids[at] ?? '', clientOf(number)));
    await put(texts, ids, from);
  }
}

function messageText(id: string, client: string): string {
  const queuedAt = new Date().toISOString();
  return JSON.stringify({
    message_id: id,
    message_body: 'Hello',
    client_id: client,
    queued_at: queuedAt,
    attempt_count: 0,
  });
}

function attempts(from: number): string {
  const line = (_: unknown, at: number): string =>
    failureLine({
      at: from + at * 1_000,
      reason: 'http_503',
      status: 503,
      answer: 'x'.repeat(200),
      workerId: 'worker-1',
    });
  return Array.from({ length: ATTEMPTS }, line).join('\n');
}

/** 12 hexadecimal digits and a number. */
function uniqueOf(number: number): string {
  return `0123456789ab${number}`;
}
