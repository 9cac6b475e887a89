import { CAUSE } from '../shared/words/causes.js';
import type { CircuitBreaker } from '../domain/flow/circuit-breaker.js';
import type { WorkerState } from '../shared/ipc.js';

/**
 * Ready means: claimed a message, or proved the queue empty, within this time, or is held, which has a name. It does not
 * mean "the process exists".
 */
const PROOF_LASTS_MS = 15_000;

export interface ReadinessFacts {
  readonly now: number;
  readonly activatedAt: number;
  /** When a message was last claimed or the queue proved empty, monotonic ms; undefined = never. */
  readonly consumedAt: number | undefined;
  readonly draining: boolean;
  /** A sentence while Redis is away. */
  readonly redisProblem: string | undefined;
  readonly breaker: Pick<CircuitBreaker, 'state' | 'lastReason'>;
  /** When deliveries last were paused, monotonic ms; undefined = never. */
  readonly lastPausedAt: number | undefined;
  /** A sentence when the main server has no route for deliveries. */
  readonly routeProblem: string | undefined;
  /** Why nothing is to be claimed now, although nothing is wrong. */
  readonly hold: string | undefined;
  readonly slotsFull: boolean;
  readonly metricsPortTaken: number | undefined;
}

export interface Readiness {
  readonly state: WorkerState;
  /** Why the state is not `ready`, or why one that is ready claims nothing, as plain words. */
  readonly reasons: readonly string[];
  readonly consuming: boolean;
}

/** What the worker says of itself, and why. Pure. */
export function readiness(facts: ReadinessFacts): Readiness {
  if (facts.draining) return { state: 'draining', reasons: [], consuming: false };
  const { reasons, stale } = complaints(facts);
  const hasProof = facts.hold !== undefined || (facts.consumedAt !== undefined && !stale);
  const consuming = hasProof && facts.redisProblem === undefined && facts.breaker.state === 'closed';
  if (reasons.length > 0) return { state: 'degraded', reasons, consuming };
  const held = facts.hold === undefined ? [] : [facts.hold];
  return { state: consuming ? 'ready' : 'starting', reasons: held, consuming };
}

function complaints(facts: ReadinessFacts): { readonly reasons: string[]; readonly stale: boolean } {
  const reasons: string[] = [];
  if (facts.redisProblem !== undefined) reasons.push(facts.redisProblem);
  if (facts.breaker.state !== 'closed') {
    reasons.push(`the ${CAUSE.mainServer} (${facts.breaker.lastReason ?? 'no answer'}); claiming is paused`);
  }
  if (facts.routeProblem !== undefined) reasons.push(facts.routeProblem);
  const provedAt = Math.max(facts.consumedAt ?? facts.activatedAt, facts.lastPausedAt ?? -Infinity);
  const stale = facts.hold === undefined && facts.now - provedAt > PROOF_LASTS_MS;
  if (stale && reasons.length === 0) {
    reasons.push(
      facts.slotsFull
        ? 'all slots wait for the main server; nothing was claimed for 15 s'
        : 'nothing was claimed and the queue was not seen empty for 15 s',
    );
  }
  if (facts.metricsPortTaken !== undefined) reasons.push(`metrics port ${facts.metricsPortTaken} is taken`);
  return { reasons, stale };
}
