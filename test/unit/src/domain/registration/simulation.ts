import type { Random } from '../../../../../src/shared/time/random.js';
import { RegistrationLag, type YoungMessage } from '../../../../../src/domain/registration/registration-lag.js';

const ANSWER_MS = 8;
/** From LPUSH to the claim by a worker that waits. */
const CLAIM_MS = 1.5;
const EVERY_MS = 100;
const GRACE_MS = 2_000;

/** How messages are asked for: the policy that is measured, and those it is measured against. */
interface Policy {
  /** Claimed at `now`: when it is asked for first. */
  claimed(message: { readonly clientId: string; readonly ageMs: number; readonly now: number }): number;
  /** `looks` were in vain; undefined = it has failed. */
  again(looks: number, now: number): number | undefined;
  registered(unknownAt: number | undefined, foundAt: number): void;
}

/** The lag of the message with that number of so many, in ms. */
export type Lag = (number: number, of: number) => number;

interface Trial {
  readonly policy: Policy;
  readonly lag: Lag;
  readonly messages?: number;
  /** Left out of the figures: what it learns at first. */
  readonly learnedAfter?: number;
  /** How far the clock of the producer is behind. */
  readonly skewMs?: (number: number) => number;
  readonly clientId?: (number: number) => string;
}

export interface Figures {
  readonly p50: number;
  readonly p99: number;
  /** Against a delivery that begins in the moment of the registration. */
  readonly timesFloorP50: number;
  readonly timesFloorP99: number;
  /** Requests in vain for each message. */
  readonly wasted: number;
  readonly failed: number;
}

/** A quiet system, one message after the other: LPUSH, then the registration. */
export function simulate({ policy, lag, messages = 4_000, learnedAfter = 200, skewMs, clientId }: Trial): Figures {
  const took: number[] = [];
  const floor: number[] = [];
  let posts = 0;
  let failed = 0;
  for (let number = 0; number < messages; number += 1) {
    const enqueuedAt = number * EVERY_MS * 100;
    const lagMs = lag(number, messages);
    const now = enqueuedAt + CLAIM_MS;
    const ageMs = CLAIM_MS + (skewMs?.(number) ?? 0);
    const run = followed(policy, { enqueuedAt, lagMs, now, ageMs, clientId: clientId?.(number) ?? 'client' });
    if (number < learnedAfter) continue;
    posts += run.posts;
    if (run.endedAt === undefined) failed += 1;
    else {
      took.push(run.endedAt - enqueuedAt);
      floor.push(Math.max(lagMs, CLAIM_MS) + ANSWER_MS);
    }
  }
  const [p50, p99] = [quantile(took, 0.5), quantile(took, 0.99)];
  return {
    p50,
    p99,
    timesFloorP50: p50 / quantile(floor, 0.5),
    timesFloorP99: p99 / quantile(floor, 0.99),
    wasted: posts / (messages - learnedAfter) - 1,
    failed,
  };
}

interface Claimed {
  readonly enqueuedAt: number;
  readonly lagMs: number;
  readonly now: number;
  readonly ageMs: number;
  readonly clientId: string;
}

function followed(
  policy: Policy,
  { enqueuedAt, lagMs, ...message }: Claimed,
): { readonly posts: number; readonly endedAt?: number } {
  let postAt = policy.claimed(message);
  let unknownAt: number | undefined;
  for (let posts = 1; ; posts += 1) {
    if (postAt - enqueuedAt >= lagMs) {
      policy.registered(unknownAt, postAt);
      return { posts, endedAt: postAt + ANSWER_MS };
    }
    unknownAt = postAt;
    const waitMs = policy.again(posts, postAt + ANSWER_MS);
    if (waitMs === undefined) return { posts };
    postAt += ANSWER_MS + waitMs;
  }
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length * share)] ?? NaN;
}

/** What is built. */
export function learned(random: Random): Policy {
  const lag = new RegistrationLag({ graceMs: GRACE_MS, random });
  let young: YoungMessage | undefined;
  return {
    claimed({ clientId, ageMs, now }) {
      young = lag.look({ clientId, ageMs, wasAwaited: true, now });
      return now + lag.holdMs(young, now);
    },
    again: (looks, now) => young && lag.againInMs(young, looks, now),
    registered: (unknownAt, foundAt) => young && lag.registered(young, unknownAt, foundAt),
  };
}

/** Asks at once, and again after so many ms each. */
export function steps(list: readonly number[]): Policy {
  return { claimed: ({ now }) => now, again: (looks) => list[looks - 1], registered: () => undefined };
}

/** A quantile that follows each first look, up after a 404 and down after a success, and small steps after it. */
export function following(random: Random): Policy {
  const up = 4;
  const share = 0.2;
  let holdMs = 0;
  let enqueuedAt = 0;
  let firstMs = 0;
  let isEarly = false;
  return {
    claimed({ now }) {
      enqueuedAt = now - CLAIM_MS;
      isEarly = holdMs > 5 && random() < 0.1;
      firstMs = isEarly ? random() * holdMs : holdMs;
      return Math.max(now, enqueuedAt + firstMs);
    },
    again(looks, now) {
      const ageMs = now - enqueuedAt;
      if (isEarly && looks === 1 && ageMs + 20 < holdMs) return holdMs - ageMs;
      return ageMs < GRACE_MS ? 20 * 1.5 ** (looks - 1) : undefined;
    },
    registered(unknownAt) {
      if (isEarly && unknownAt === undefined) holdMs -= (holdMs - firstMs) * 0.3;
      else if (!isEarly)
        holdMs = Math.max(0, Math.min(250, holdMs + up * (unknownAt === undefined ? -share : 1 - share)));
    },
  };
}

export const TODAY = [100, 200, 400, 800];
export const SMALL_STEPS = [20, 30, 45, 67, 101, 152, 228, 342, 500, 500];

/** Evenly spread. */
export function between(random: Random, fromMs: number, toMs: number): Lag {
  return () => fromMs + (toMs - fromMs) * random();
}

/** A stream of chance that is the same in each run (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
