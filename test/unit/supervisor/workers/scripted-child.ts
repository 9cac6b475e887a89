import type { Clock } from '../../../../src/shared/time/clock.js';
import type { Beat, ToChild } from '../../../../src/shared/ipc.js';
import type { ChildProcess, Exit } from '../../../../supervisor/workers/process/child-process.js';
import type { Effort } from '../../../../supervisor/workers/effort.js';
import { WorkerHandle } from '../../../../supervisor/workers/worker-handle.js';
import { testConfig } from '../../../support/program/config.js';
import { toldCounts, type Told } from './told-counts.js';

/** A child that only records what it is told, and says what the test lets it say. */
export class ScriptedChild implements ChildProcess {
  readonly told: ToChild[] = [];
  killed = 0;
  /** As the host has it; undefined = it is not asked. */
  has: Effort | undefined;
  #message: (message: unknown) => void = () => undefined;
  #exit: (exit: Exit) => void = () => undefined;

  constructor(readonly pid = 4711) {}

  send(message: ToChild): void {
    this.told.push(message);
  }
  killNow(): void {
    this.killed += 1;
  }
  effort(): Effort | undefined {
    return this.has;
  }
  onMessage(listener: (message: unknown) => void): void {
    this.#message = listener;
  }
  onExit(listener: (exit: Exit) => void): void {
    this.#exit = listener;
  }

  says(message: unknown): void {
    this.#message(message);
  }
  beats(beat: Partial<Beat> = {}): void {
    this.says({ type: 'beat', beat: { ...READY, ...beat } });
  }
  counts(told: Told): void {
    this.says({ type: 'counts', counts: toldCounts(told) });
  }
  ends(exit: Partial<Exit> = {}): void {
    this.#exit({ code: undefined, signal: undefined, ...exit });
  }
}

export const READY: Beat = {
  state: 'ready',
  reasons: [],
  causes: [],
  consuming: true,
  inFlight: 0,
  eventLoopLagSeconds: 0,
  redisUp: true,
  breaker: 'closed',
  certificates: [],
  troubles: [],
};

export function handleOf(child: ScriptedChild, clock: Clock, workerId = 'worker-1'): WorkerHandle {
  const identity = { workerId, metricsPort: 9100, nonce: 'abc' };
  return new WorkerHandle({ child, identity, config: testConfig(), clock, onChange: () => undefined });
}
