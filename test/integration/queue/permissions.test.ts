import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isCancelMarker } from '../../../src/domain/cancelled.js';
import { deadLetter, POISON_CRASHES } from '../../../src/domain/dead-letters/dead-letter.js';
import type { RedisQueue } from '../../../src/queue/claims/claims-and-settlements.js';
import type { Claim, Settlement } from '../../../src/queue/message-queue.js';
import { withOperatorQueue, type OperatorQueue } from '../../../src/queue/operator-queue.js';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { openQueue, places, QUEUE, queueConfig, redisConfig } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';

/** Redis does not roll scripts back: whichever command of whichever script it refuses, a message is somewhere, and once. */
const redis = useRedis();
const USER = { username: 'narrow', password: 'pw' };
const RETRY = `{${QUEUE}}:retry`;
const DEAD = `{${QUEUE}}:dead`;
const DEAD_CONSUMER = 'dead@host/0.1.a';
let queue: RedisQueue;

/** Every command that a script of ours runs. */
const COMMANDS = [
  ...new Set(
    readdirSync(join(packageRoot, 'src/queue/lua'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.lua'))
      .map((name) => readFileSync(join(packageRoot, 'src/queue/lua', name), 'utf8'))
      .flatMap((text) => [...text.matchAll(/redis\.p?call\('(\w+)'/g)].map(([, command]) => command!.toLowerCase())),
  ),
];

beforeAll(async () => {
  await permit();
  queue = await openQueue(redis.port, 'worker-1', { redis: USER });
});
afterAll(() => queue.stop());

async function permit(refused?: string): Promise<void> {
  const rules = ['reset', 'on', `>${USER.password}`, '~*', '+@all', ...(refused ? [`-${refused}`] : [])];
  await redis.client.call('ACL', 'SETUSER', USER.username, ...rules);
}

function asOperator<T>(use: (queue: OperatorQueue) => Promise<T>): Promise<T> {
  const config = {
    redis: redisConfig(redis.port, USER),
    queue: queueConfig(),
  };
  return withOperatorQueue(config, systemClock, use);
}

interface State {
  readonly waiting: readonly string[];
  readonly claimed: readonly string[];
  readonly retrying: readonly string[];
  readonly foreign: readonly string[];
  readonly dead: readonly string[];
  readonly orphaned: readonly string[];
}

/** What a test does, again and again, with the claims that it holds. */
interface Operation {
  readonly name: string;
  readonly run: (claims: readonly Claim[]) => Promise<unknown>;
}

const settlementsOf =
  (make: (claim: Claim, at: number) => Settlement) =>
  (claims: readonly Claim[]): Promise<unknown> =>
    queue.exchange({ settlements: claims.map(make), want: 0, inFlight: 0 });

const mixed = (claim: Claim, at: number): Settlement => {
  const kinds = [
    { kind: 'retry', claim, message: claim.raw, messageId: 'any', delayMs: 60_000 },
    { kind: 'bury', claim, envelope: envelopeOf(claim.raw.toString()), isUntold: true },
    { kind: 'hand-back', claim },
  ] as const;
  return kinds[at % kinds.length]!;
};

const OPERATIONS: readonly Operation[] = [
  { name: 'settle', run: settlementsOf(mixed) },
  { name: 'claim', run: () => queue.exchange({ settlements: [], want: 3, inFlight: 0 }) },
  { name: 'reconcile', run: () => queue.reconcile([]) },
  { name: 'reconcile what is held', run: (claims) => queue.reconcile(claims.slice(1)) },
  { name: 'promote', run: () => queue.background.promoteDue(10) },
  {
    name: 'set aside',
    run: async () => {
      await queue.background.promoteDue(1);
      await queue.background.setAside(10);
    },
  },
  { name: 'set right', run: () => queue.background.setRight({ from: 0, limit: 10, backMs: 1_000 }) },
  { name: 'recover', run: () => queue.background.recover(DEAD_CONSUMER, { evenIfLeased: true }) },
  {
    name: 'recover what killed its processes',
    run: async () => {
      const deaths = FULL.orphaned.flatMap((text) => [sha1(text), POISON_CRASHES - 1]);
      await redis.client.hset(`{${QUEUE}}:crashes`, ...deaths);
      await queue.background.recover(DEAD_CONSUMER, { evenIfLeased: true });
    },
  },
  { name: 'move old letters', run: () => queue.background.moveOldDeadLetters() },
  { name: 'tell', run: () => queue.background.takeUntold(10, 1) },
  { name: 'roll back', run: () => asOperator(({ rollback }) => rollback.run({ force: true })) },
  {
    name: 'retry now',
    run: async () => {
      const later = Date.now() + 900;
      for (const member of await redis.client.zrange(RETRY, '0', '-1')) await redis.client.zadd(RETRY, later, member);
      await asOperator(({ actions }) => actions.retry({ filter: {}, dryRun: false }));
    },
  },
  { name: 'cancel', run: () => asOperator(({ actions }) => actions.cancel({ filter: {}, dryRun: false })) },
  {
    name: 'return letters to version 1.0',
    run: () => asOperator(({ deadLetters }) => deadLetters.returnToList({ filter: {}, dryRun: false })),
  },
  { name: 'replay', run: () => asOperator(({ deadLetters }) => deadLetters.replay({ filter: {}, dryRun: false })) },
];

function envelopeOf(text: string): string {
  const raw = Buffer.from(text);
  return String(deadLetter({ raw, reason: 'poison', error: '', attemptCount: 0, workerId: 'w', deadAt: 0 }));
}

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex');

const memberOf = (text: string, at: number) => `0123456789ab${at} id 1000:${text}`;

async function prepare(state: State): Promise<readonly Claim[]> {
  await permit();
  await redis.client.flushall();
  await queue.renewLease();
  if (state.claimed.length > 0) await redis.client.lpush(QUEUE, ...state.claimed);
  const { claims } = await queue.exchange({ settlements: [], want: state.claimed.length, inFlight: 0 });
  if (state.waiting.length > 0) await redis.client.lpush(QUEUE, ...state.waiting);
  for (const [at, text] of state.retrying.entries()) await redis.client.zadd(RETRY, 1, memberOf(text, at));
  for (const text of state.foreign) await redis.client.zadd(RETRY, 1, text);
  if (state.dead.length > 0) await redis.client.lpush(DEAD, ...state.dead.map(envelopeOf));
  if (state.orphaned.length > 0) {
    await redis.client.zadd(`{${QUEUE}}:consumers`, 1, DEAD_CONSUMER);
    await redis.client.lpush(`{${QUEUE}}:processing:${DEAD_CONSUMER}`, ...state.orphaned);
  }
  return claims;
}

/** Every message in Redis, wherever it lies. */
async function everything(client: Redis): Promise<string[]> {
  const members = await client.zrange(RETRY, '0', '-1');
  const { waiting, processing, dead } = await places(client);
  return [
    ...waiting.filter((text) => !isCancelMarker(Buffer.from(text))),
    ...processing,
    ...members.map((member) => member.replace(/^0123456789ab\d+N? id \d+:|^[0-9a-f]{12}\w+ any \d+:/, '')),
    ...dead.map((envelope) => (JSON.parse(envelope) as { message: string }).message),
  ].sort();
}

async function refuseInTurn(operation: Operation, command: string, state: State): Promise<void> {
  const claims = await prepare(state);
  const before = await everything(redis.client);
  await permit(command);
  for (let time = 0; time < 3; time += 1) {
    await operation.run(claims).catch(() => undefined);
    expect(await everything(redis.client), `${operation.name} without ${command}, time ${time + 1}`).toEqual(before);
  }
  await permit();
  await operation.run(claims).catch(() => undefined);
  expect(await everything(redis.client), `${operation.name} with ${command} again`).toEqual(before);
}

const FULL: State = {
  waiting: ['w1', 'w2'],
  claimed: ['c1', 'c2', 'c3', 'same', 'same', ''],
  retrying: ['r1', 'r2', 'same'],
  foreign: ['oops', '{"message_id":"raw"}', ''],
  dead: ['d1', 'd2', 'same'],
  orphaned: ['o1', 'o2', 'same'],
};

test.each(OPERATIONS)('$name: each command refused in turn, again and again', async (operation) => {
  for (const command of COMMANDS) await refuseInTurn(operation, command, FULL);
});

const texts = (prefix: string) =>
  fc.array(
    fc.oneof(
      fc.integer({ min: 0, max: 3 }).map((n) => `${prefix}${n}`),
      fc.constantFrom('', 'same', 'a:b'),
    ),
    {
      maxLength: 5,
    },
  );

test('at any state', async () => {
  const state = fc.record<State>({
    waiting: texts('w'),
    claimed: texts('c'),
    retrying: texts('r'),
    // a set has each member once
    foreign: fc.uniqueArray(fc.constantFrom('oops', '', ':', 'a b', '{"a":1}'), { maxLength: 3 }),
    dead: texts('d'),
    orphaned: texts('o'),
  });
  const cases = fc.tuple(fc.constantFrom(...OPERATIONS), fc.constantFrom(...COMMANDS), state);
  await fc.assert(
    fc.asyncProperty(cases, ([operation, command, at]) => refuseInTurn(operation, command, at)),
    { numRuns: 150 },
  );
});
