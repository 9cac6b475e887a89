import { mainServerProblem } from '../shared/words/causes.js';
import type { CircuitBreaker } from '../domain/flow/circuit-breaker.js';
import type { WorkerCause, WorkerState } from '../shared/ipc.js';

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
  /** One for each of the reasons. */
  readonly causes: readonly WorkerCause[];
  readonly consuming: boolean;
}

interface Complaint {
  readonly cause: WorkerCause;
  readonly text: string;
}

/** What the worker says of itself, and why. Pure. */
export function readiness(facts: ReadinessFacts): Readiness {
  if (facts.draining) return said('draining', [], false);
  const { found, stale } = complaints(facts);
  const hasProof = facts.hold !== undefined || (facts.consumedAt !== undefined && !stale);
  const consuming = hasProof && facts.redisProblem === undefined && facts.breaker.state === 'closed';
  if (found.length > 0) return said('degraded', found, consuming);
  const held = facts.hold === undefined ? [] : [{ cause: 'held', text: facts.hold } as const];
  return said(consuming ? 'ready' : 'starting', held, consuming);
}

function said(state: WorkerState, complaints: readonly Complaint[], consuming: boolean): Readiness {
  return {
    state,
    reasons: complaints.map(({ text }) => text),
    causes: complaints.map(({ cause }) => cause),
    consuming,
  };
}

function complaints(facts: ReadinessFacts): { readonly found: readonly Complaint[]; readonly stale: boolean } {
  const found: Complaint[] = [];
  const say = (cause: WorkerCause, text: string | undefined): void => {
    if (text !== undefined) found.push({ cause, text });
  };
  say('redis', facts.redisProblem);
  if (facts.breaker.state !== 'closed') {
    say('main_server', `the ${mainServerProblem(facts.breaker.lastReason)}; claiming is paused`);
  }
  say('no_route', facts.routeProblem);
  const provedAt = Math.max(facts.consumedAt ?? facts.activatedAt, facts.lastPausedAt ?? -Infinity);
  const stale = facts.hold === undefined && facts.now - provedAt > PROOF_LASTS_MS;
  if (stale && found.length === 0) {
    say(
      'stuck',
      facts.slotsFull
        ? 'all slots wait for the main server; nothing was claimed for 15 s'
        : 'nothing was claimed and the queue was not seen empty for 15 s',
    );
  }
  if (facts.metricsPortTaken !== undefined) say('port', `metrics port ${facts.metricsPortTaken} is taken`);
  return { found, stale };
}
