import type { Redis } from 'ioredis';
import type { DevMainServer } from '../../scripts/main-server/server.js';
import { readDeadLetter } from '../../src/domain/dead-letters/dead-letter.js';
import { redisKeys } from '../../src/queue/keys.js';
import { QUEUE } from './redis/queue.js';
import { HANGS_MS, waitFor } from './wait-for.js';

/** Where every produced message is, by id. */
export interface Account {
  /** In no place: not in Redis and never answered with 2xx. */
  readonly lost: readonly string[];
  /** In more than one place of Redis, or several times in one, or delivered and still to be delivered. */
  readonly misplaced: readonly string[];
  readonly delivered: number;
  readonly waiting: number;
  readonly processing: number;
  readonly retry: number;
  readonly dead: number;
  /** POSTs for ids that were answered with 2xx before. */
  readonly duplicates: number;
}

export interface Snapshot {
  readonly waiting: readonly Buffer[];
  readonly processing: readonly Buffer[];
  readonly retry: readonly Buffer[];
  /** The messages inside the envelopes. */
  readonly dead: readonly Buffer[];
}

export interface MessageLedger {
  /** Ids of everything produced in this test. */
  readonly produced: readonly string[];
  /** LPUSHes `count` messages as the proxy does; returns their ids, oldest first. */
  produce(count: number, attemptCount?: number): Promise<readonly string[]>;
  /**
   * As `produce`, and once: a client repeats an LPUSH whose reply was lost, which Redis may have carried out, and then it is
   * the producer who has each message delivered twice. For those who push while Redis is killed.
   */
  produceOnce(count: number): Promise<void>;
  /** LPUSHes these bytes under an id that the account then looks for. */
  produceRaw(id: string, raw: string | Buffer): Promise<void>;
  /** Has the account look for ids that were put into Redis by another way. */
  count(ids: readonly string[]): void;
  /** All that Redis holds, read in one step. */
  snapshot(): Promise<Snapshot>;
  accountFor(): Promise<Account>;
  /** Resolves when every produced message is delivered and Redis holds none. */
  quiet(deadlineMs?: number): Promise<Account>;
  /** Forgets what was produced. */
  clear(): void;
}

const SNAPSHOT = `
local processing = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  for _, raw in ipairs(redis.call('LRANGE', key, 0, -1)) do processing[#processing + 1] = raw end
end
local dead = redis.call('LRANGE', KEYS[3], 0, -1)
for _, line in ipairs(redis.call('ZREVRANGE', KEYS[4], 0, -1)) do
  dead[#dead + 1] = redis.call('HGET', KEYS[5], string.match(line, '^%S*')) or 'no letter'
end
return { redis.call('LRANGE', KEYS[1], 0, -1), processing, redis.call('ZRANGE', KEYS[2], 0, -1), dead }
`;
const BATCH = 500;
const PUSH_ONCE = `
local number = tonumber(ARGV[1])
if tonumber(redis.call('GET', KEYS[2]) or 0) >= number then return end
for at = 2, #ARGV do redis.call('LPUSH', KEYS[1], ARGV[at]) end
redis.call('SET', KEYS[2], number)
`;
/** The number of the last push of those that are made once. */
const PUSHED = `{${QUEUE}}:pushed`;

/** Keeps account of every message of a test, between the producer, Redis and the main server. */
export function createMessageLedger(
  redis: { readonly client: Redis },
  main: { readonly server: DevMainServer },
): MessageLedger {
  const keys = redisKeys(QUEUE);
  const produced: string[] = [];
  let tests = 0;

  async function snapshot(): Promise<Snapshot> {
    const args = [keys.queue, keys.retry, keys.dead, keys.deadIndex, keys.deadLetters, keys.processing('')];
    const reply = await redis.client.callBuffer('EVAL', SNAPSHOT, 5, ...args);
    const [waiting, processing, members, dead] = reply as [Buffer[], Buffer[], Buffer[], Buffer[]];
    return {
      waiting,
      processing,
      retry: members.map((member) => member.subarray(member.indexOf(0x3a) + 1)),
      dead: dead.map((envelope) => readDeadLetter(envelope)?.raw ?? envelope),
    };
  }

  async function accountFor(): Promise<Account> {
    // what is produced from now on may not be in Redis when it is read
    const known = [...produced];
    // Redis first: a message that is not there any more has been delivered before we look at the server
    const places = await snapshot();
    const { delivered, duplicates } = main.server.ledger;
    const times = new Map<string, number>();
    for (const raw of Object.values(places).flat() as Buffer[]) {
      const id = idOf(raw);
      times.set(id, (times.get(id) ?? 0) + 1);
    }
    return {
      lost: known.filter((id) => !times.has(id) && !delivered.has(id)),
      misplaced: known.filter((id) => (times.get(id) ?? 0) + (delivered.has(id) ? 1 : 0) > 1),
      delivered: known.filter((id) => delivered.has(id)).length,
      waiting: places.waiting.length,
      processing: places.processing.length,
      retry: places.retry.length,
      dead: places.dead.length,
      duplicates,
    };
  }

  async function push(messages: readonly (string | Buffer)[]): Promise<void> {
    for (let at = 0; at < messages.length; at += BATCH) {
      await redis.client.lpush(keys.queue, ...messages.slice(at, at + BATCH));
    }
  }

  function nextIds(count: number): readonly string[] {
    tests += 1;
    const ids = Array.from({ length: count }, (_, number) => `m${tests}-${number}`);
    produced.push(...ids);
    return ids;
  }

  return {
    produced,
    snapshot,
    accountFor,
    async produce(count, attemptCount = 0) {
      const ids = nextIds(count);
      await push(ids.map((id) => messageText(id, attemptCount)));
      return ids;
    },
    async produceOnce(count) {
      const messages = nextIds(count).map((id) => messageText(id));
      await redis.client.eval(PUSH_ONCE, 2, keys.queue, PUSHED, tests, ...messages);
    },
    async produceRaw(id, raw) {
      produced.push(id);
      await push([raw]);
    },
    count(ids) {
      for (const id of ids) produced.push(id);
    },
    async quiet(deadlineMs = HANGS_MS) {
      const isQuiet = async () => {
        if (main.server.ledger.delivered.size < produced.length) return false;
        const account = await accountFor();
        const left = account.waiting + account.processing + account.retry + account.dead;
        return left === 0 && account.delivered === produced.length && account;
      };
      return waitFor(isQuiet, { what: 'all messages to be delivered', deadlineMs }).catch(async (error: unknown) => {
        throw new Error(`${String(error)}: ${JSON.stringify(await accountFor())}`);
      });
    },
    clear() {
      produced.length = 0;
    },
  };
}

/** What the proxy sends. */
export function messageText(id: string, attemptCount = 0): string {
  return JSON.stringify({
    message_id: id,
    sender_number: '+491700000000',
    message_body: 'Hello',
    client_id: 'client-1',
    domain: 'example.org',
    queued_at: `${new Date().toISOString().slice(0, -1)}Z`,
    attempt_count: attemptCount,
    metadata: { client_id: 'client-1' },
  });
}

export function attemptCountOf(raw: Buffer): unknown {
  return (JSON.parse(raw.toString()) as Record<string, unknown>)['attempt_count'];
}

export function idOf(raw: Buffer): string {
  try {
    const value = JSON.parse(raw.toString()) as { readonly message_id?: unknown } | null;
    return String(value?.message_id);
  } catch {
    return raw.toString('latin1');
  }
}
