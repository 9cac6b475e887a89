/** Gives back what dead consumers held, and buries what killed its process again and again. */
import type { Buffer } from 'node:buffer';
import { scannedAttemptCount } from '../domain/attempt-count.js';
import { deadLetter, POISON_CRASHES, POISON_ERROR } from '../domain/dead-letters/dead-letter.js';
import type { SkippedWrites } from '../domain/dead-letters/skipped.js';
import { RedisUnavailableError } from '../shared/errors.js';
import type { Clock } from '../shared/time/clock.js';
import type { RedisConnection } from './connection/connection.js';
import { replyCode } from './connection/reply.js';
import type { RedisKeys } from './keys.js';
import type { FailureQueue, RecoveryQueue, Register, RegisteredConsumer } from './background-queue.js';
import type { Claim } from './message-queue.js';
import { countPoison } from './failures/poison.js';
import { redisScript } from './connection/script.js';
import { settle } from './claims/settlement.js';

/** Crashes are forgotten an hour after the last: the counter is for crash loops, not for a bad week. */
const REMEMBER_CRASHES_S = 3_600;
/** Recovered consumers are watched this long for claims that land late; a blocking pop lives 2 s. */
const FORGET_CONSUMER_MS = 3_600_000;
/** Read at each look: far more than a fleet has workers, and the dead come first. */
const MOST_LEASES = 2_000;
/** Looked at each time for late claims: the last ones recovered, and as many of the others in turn. */
const RECOVERED_AT_A_LOOK = 32;
/** One step of a recovery; 1 MB takes Redis about 5 ms. */
const STEP_MESSAGES = 200;
const STEP_BYTES = 1_048_576;

const leasesScript = redisScript('leases');
const lateClaimsScript = redisScript('late-claims');
const recoverScript = redisScript('recover');

/** Who recovers; named in the letters of what it buries. */
export interface RecoveryIdentity {
  readonly workerId: string;
  readonly clock: Clock;
}

interface Burying extends RecoveryIdentity {
  readonly failures: Pick<FailureQueue, 'countFailures'>;
}

export function createRecoveryQueue(connection: RedisConnection, keys: RedisKeys, identity: Burying): RecoveryQueue {
  const register = new RegisterReader(connection, keys);

  return {
    isReady: () => connection.isReady(),

    register: () => register.read(),

    async consumers() {
      return ((await connection.call('ZRANGE', keys.consumers, 0, -1)) as Buffer[]).map(String);
    },

    async recover(consumer, why) {
      const own = keys.processing(consumer);
      let seen = 'score' in why ? why.score : '';
      let [recovered, buried] = [0, 0];
      let skipped: SkippedWrites | undefined;
      for (;;) {
        const reply = await saying(`recovering ${own}`, () =>
          recoverScript.run(
            connection,
            [keys.queue, own, keys.consumers, keys.crashes, keys.pausedSeen],
            [consumer, seen, POISON_CRASHES, REMEMBER_CRASHES_S, STEP_MESSAGES, STEP_BYTES],
          ),
        );
        const [moved, poisoned, left, score] = reply as [number, Buffer[], number, Buffer];
        for (const raw of poisoned) {
          skipped = sum(skipped, await buryPoison(connection, keys, { raw, consumer }, identity));
        }
        recovered += Math.max(0, moved);
        buried += poisoned.length;
        if (left === 0 || moved + poisoned.length <= 0) return { recovered, buried, ...(skipped ? { skipped } : {}) };
        if (seen !== '') seen = String(score);
      }
    },
  };
}

/** Resolves to what was skipped beside it. @throws RedisUnavailableError when Redis refuses it: the message stays in the list of its consumer, and is found again. */
async function buryPoison(
  connection: RedisConnection,
  keys: RedisKeys,
  claim: Claim,
  { workerId, clock, failures }: Burying,
): Promise<SkippedWrites | undefined> {
  const envelope = deadLetter({
    raw: claim.raw,
    reason: 'poison',
    error: POISON_ERROR,
    // not parsed: what took ten children down would take the primary down, too
    attemptCount: scannedAttemptCount(claim.raw),
    workerId,
    deadAt: clock.wallNow(),
  });
  const exchange = await settle(connection, keys, claim.consumer, [{ kind: 'bury', claim, envelope, isUntold: true }]);
  const refused = exchange?.refused[0];
  if (refused) throw new RedisUnavailableError(`Redis refuses to bury a message: ${refused.reason}`, false);
  if (exchange && exchange.lost.length === 0) await countPoison(failures, claim.raw, clock.wallNow());
  return exchange?.skipped;
}

function sum(one: SkippedWrites | undefined, other: SkippedWrites | undefined): SkippedWrites | undefined {
  if (!one || !other) return one ?? other;
  return { ...other, letters: one.letters + other.letters, tellings: one.tellings + other.tellings };
}

/** Reads the register; those recovered long ago a few at a time, in turn. */
class RegisterReader {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  /** Rank among the recovered, after the newest, at which the next look goes on. */
  #turn = 0;

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  async read(): Promise<Register> {
    const { consumers } = this.#keys;
    const reply = await saying(`reading ${consumers}`, () =>
      leasesScript.run(this.#connection, [consumers], [MOST_LEASES, RECOVERED_AT_A_LOOK, this.#turn]),
    );
    const [leases, recovered] = (reply as Buffer[][]).map(pairs) as [RegisteredConsumer[], RegisteredConsumer[]];
    this.#turn = recovered.length < 2 * RECOVERED_AT_A_LOOK ? 0 : this.#turn + RECOVERED_AT_A_LOOK;
    return { leases, late: recovered.length === 0 ? [] : await this.#late(recovered) };
  }

  async #late(recovered: readonly RegisteredConsumer[]): Promise<RegisteredConsumer[]> {
    const names = recovered.map(({ consumer }) => consumer);
    const numbers = (await lateClaimsScript.run(
      this.#connection,
      [this.#keys.consumers, ...names.map((name) => this.#keys.processing(name))],
      [FORGET_CONSUMER_MS, ...names],
    )) as number[];
    return numbers.flatMap((number) => recovered[number - 1] ?? []);
  }
}

function pairs(reply: readonly Buffer[]): RegisteredConsumer[] {
  const texts = reply.map(String);
  return texts.flatMap((consumer, at) => (at % 2 === 0 ? [{ consumer, score: texts[at + 1] ?? '' }] : []));
}

/** Redis says what it refuses, and not at which key. */
async function saying(what: string, run: () => Promise<unknown>): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof RedisUnavailableError) || replyCode(error) === undefined) throw error;
    throw new RedisUnavailableError(`${error.message} (${what})`, false, { cause: error.cause });
  }
}
