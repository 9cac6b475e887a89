/**
 * What an operator does while messages are delivered at half of the maximum: find, list, retry, cancel and purge among many.
 * Redis's own account of its commands says for how long one of them held up all others.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Buffer } from 'node:buffer';
import { deadLetter, readDeadLetter } from '../../../src/domain/dead-letters/dead-letter.js';
import { indexLine } from '../../../src/domain/dead-letters/index-line.js';
import { withOperatorQueue, type OperatorQueue } from '../../../src/queue/operator-queue.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { loadConfig } from '../../../src/shared/config/load.js';
import { ours } from '../contenders/ours.js';
import { QUEUE, startOurs } from '../contenders/our-supervisor.js';
import type { Stand } from '../stand.js';

interface OperatorSizes {
  readonly waiting: number;
  readonly dead: number;
  readonly retrying: number;
  /** Of those that wait, and of the dead, these are cancelled and purged. */
  readonly taken: number;
}

export interface OperatorRun extends OperatorSizes {
  /** Deliveries per second, as MAIN_SERVER_MAX_RATE. */
  readonly rate: number;
  /** Deliveries while the operator works, of those before. */
  readonly rateKept: number;
  /** What was done, and for how many seconds. */
  readonly seconds: Readonly<Record<Action, number>>;
  /** The longest command of Redis meanwhile, milliseconds. */
  readonly longestMs: number;
}

type Action = 'show' | 'pageOfWaiting' | 'pageOfDead' | 'retry' | 'cancel' | 'purge';

const CONCURRENCY = 16;
const WARM_UP = 20_000;
const BEFORE_MS = 5_000;
const PAGE = 50;
const CHUNK = 1_000;
const INTERVAL_MS = 3_600_000;
const TAKEN_CLIENT = 'taken';

export async function measureOperator(stand: Stand, sizes: OperatorSizes): Promise<OperatorRun> {
  const most = await mostPerSecond(stand, Math.min(WARM_UP, sizes.waiting));
  // what waits is to last for 100 s
  const rate = Math.max(1, Math.floor(Math.min(most / 2, sizes.waiting / 100)));
  await fill(stand, sizes);
  const settings = { MAIN_SERVER_MAX_RATE: String(rate) };
  const running = await startOurs(stand, { concurrency: CONCURRENCY, settings });
  try {
    await sleep(BEFORE_MS / 5);
    const before = await perSecond(stand, () => sleep(BEFORE_MS));
    await stand.redis.config('SET', 'slowlog-log-slower-than', '1000', 'slowlog-max-len', '10000');
    await stand.redis.slowlog('RESET');
    let seconds: OperatorRun['seconds'] | undefined;
    const meanwhile = await perSecond(stand, async () => (seconds = await operate(stand)));
    if (!seconds) throw new Error('The operator did nothing.');
    return { ...sizes, rate, rateKept: meanwhile / before, seconds, longestMs: await longestMs(stand) };
  } finally {
    await running.stop();
  }
}

async function mostPerSecond(stand: Stand, messages: number): Promise<number> {
  await stand.redis.flushall();
  const running = await ours('this worker').start(stand, { concurrency: CONCURRENCY });
  try {
    await running.prepare(messages);
    const startedAt = performance.now();
    await running.drain();
    return messages / ((performance.now() - startedAt) / 1_000);
  } finally {
    await running.stop();
    await stand.redis.flushall();
  }
}

async function perSecond({ sink }: Stand, during: () => Promise<unknown>): Promise<number> {
  const [before, startedAt] = [await sink.requests(), performance.now()];
  await during();
  return ((await sink.requests()) - before) / ((performance.now() - startedAt) / 1_000);
}

async function operate({ redisPort }: Stand): Promise<OperatorRun['seconds']> {
  const env = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redisPort), REDIS_QUEUE_NAME: QUEUE };
  const { config } = loadConfig({ flags: {}, env, cwd: '/', argvConfig: undefined, role: 'supervisor' });
  return withOperatorQueue(config, systemClock, async (queue) => {
    const { actions, deadLetters } = queue;
    const filter = { client: TAKEN_CLIENT };
    return {
      show: await secondsOf(() => findNowhere(queue)),
      pageOfWaiting: await secondsOf(() => queue.messages.walk('waiting', { filter: {}, mostMatches: PAGE }).next()),
      pageOfDead: await secondsOf(() => deadLetters.list({ filter: {}, limit: PAGE }, ({ messageId }) => messageId)),
      retry: await secondsOf(() => actions.retry({ filter: {}, dryRun: false })),
      cancel: await secondsOf(() => actions.cancel({ filter, dryRun: false })),
      purge: await secondsOf(() => deadLetters.purge({ filter, dryRun: false })),
    };
  });
}

/** The longest way: through all places to the end. */
async function findNowhere({ messages, deadLetters }: OperatorQueue): Promise<void> {
  const filter = { ids: ['nowhere'] };
  for (const place of ['waiting', 'in_flight', 'retry'] as const) {
    for await (const { found } of messages.walk(place, { filter })) {
      if (found.length > 0) throw new Error(`"nowhere" is in ${place}.`);
    }
  }
  await deadLetters.find('nowhere', { whole: false });
}

async function secondsOf(action: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await action();
  return (performance.now() - startedAt) / 1_000;
}

async function longestMs({ redis }: Stand): Promise<number> {
  const entries = (await redis.slowlog('GET', 10_000)) as [number, number, number, ...unknown[]][];
  return Math.max(0, ...entries.map(([, , micros]) => micros)) / 1_000;
}

async function fill(stand: Stand, { waiting, dead, retrying, taken }: OperatorSizes): Promise<void> {
  const { redis } = stand;
  await inChunks(waiting, taken, (messages) => redis.lpush(QUEUE, ...messages));
  const [seconds = 0] = (await redis.time()).map(Number);
  await inChunks(retrying, 0, (messages) => {
    const due = seconds * 1_000 + INTERVAL_MS - 60_000;
    const members = messages.map((text, at) => `${randomBytes(6).toString('hex')}${at} r${at} ${INTERVAL_MS}:${text}`);
    return redis.zadd(`{${QUEUE}}:retry`, ...members.flatMap((member) => [due, member]));
  });
  await inChunks(dead, taken, (messages, from) => bury(stand, messages, from));
}

/** Those that are to be taken lie evenly among the others. */
async function inChunks(
  count: number,
  taken: number,
  put: (messages: string[], from: number) => Promise<unknown>,
): Promise<void> {
  const each = taken === 0 ? Infinity : Math.floor(count / taken);
  for (let from = 0; from < count; from += CHUNK) {
    const messages = Array.from({ length: Math.min(CHUNK, count - from) }, (_, at) =>
      text(`m${from + at}`, (from + at) % each === 0 ? TAKEN_CLIENT : 'client'),
    );
    await put(messages, from);
  }
}

function text(id: string, client: string): string {
  const queuedAt = new Date().toISOString();
  const body = 'x'.repeat(150);
  return JSON.stringify({
    message_id: id,
    message_body: body,
    client_id: client,
    queued_at: queuedAt,
    attempt_count: 0,
  });
}

async function bury({ redis }: Stand, messages: readonly string[], from: number): Promise<void> {
  const diedAt = Date.now();
  const letters = messages.map((raw, at) => {
    const about = {
      reason: 'max_attempts_exceeded',
      error: 'HTTP 503',
      attemptCount: 3,
      workerId: 'worker-1',
    } as const;
    const stored = deadLetter({ ...about, raw: Buffer.from(raw), deadAt: diedAt });
    const unique = `0123456789ab-${(from + at).toString(36)}`;
    return { unique, stored, line: indexLine(unique, readDeadLetter(stored)) };
  });
  await redis.hset(`{${QUEUE}}:dead:letters`, ...letters.flatMap(({ unique, stored }) => [unique, stored]));
  await redis.zadd(`{${QUEUE}}:dead:index`, ...letters.flatMap(({ line }, at) => [diedAt + at / CHUNK, line]));
}
