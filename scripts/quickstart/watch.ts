/** Shows how the messages fare until all are delivered, something breaks, or the user has enough. */
import { BrokerError } from '../../src/shared/errors.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { failedAttempts } from './account.js';
import { RETRY_INTERVAL_S } from './config.js';
import type { QuickstartOptions } from './options.js';
import type { Progress } from './progress.js';
import type { Stack } from './stack.js';

const LOOK_EVERY_MS = 200;

interface WatchOptions {
  /** Resolve when all of them are answered with 200 and Redis holds nothing more; undefined = never. */
  readonly ids: readonly string[] | undefined;
  /** Of messages that we enqueued. */
  readonly enqueued: number;
  readonly startedAt: number;
  /** Undefined = as long as it takes. */
  readonly deadlineMs: number | undefined;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** @throws LateError, SupervisorFailedError, or what `signal` was aborted with */
export async function watch({ server, queue, supervisor }: Stack, options: WatchOptions): Promise<void> {
  const { ids, enqueued, startedAt, deadlineMs = Infinity, progress, signal } = options;
  const { ledger } = server;
  for (;;) {
    const sizes = await queue.sizes();
    const elapsedMs = performance.now() - startedAt;
    const delivered = ledger.delivered.size;
    const rest = sizes && sizes.waiting + sizes.processing + sizes.retrying;
    const done = rest === 0 && ids?.every((id) => ledger.delivered.has(id)) === true;
    progress.show({ elapsedMs, delivered, enqueued, failedAttempts: failedAttempts(ledger), sizes }, done);
    if (done) return;
    supervisor.check();
    if (elapsedMs > deadlineMs) throw new LateError(deadlineMs);
    signal.throwIfAborted();
    await systemClock.sleep(LOOK_EVERY_MS, signal);
  }
}

class LateError extends BrokerError {
  constructor(deadlineMs: number) {
    super('E_LATE', `Not everything was delivered within ${Math.round(deadlineMs / 1_000)} s.`);
  }
}

/**
 * A minute, the messages at 50/s, and as many rounds of retries as leave one message in a million runs behind: of m
 * messages m * f^n fail n times in a row.
 */
export function deadlineOf({ messages, failRate }: QuickstartOptions): number {
  const rounds = failRate > 0 ? Math.ceil(Math.log(1e-6 / messages) / Math.log(failRate)) : 0;
  return 60_000 + messages * 20 + rounds * RETRY_INTERVAL_S * 1_000;
}
