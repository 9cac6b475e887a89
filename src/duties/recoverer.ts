import { POISON_CRASHES } from '../domain/dead-letters/dead-letter.js';
import { skippedText } from '../domain/dead-letters/skipped.js';
import { LeaseWatch } from '../domain/clocks/lease-watch.js';
import type { RecoveryQueue, Register, RegisteredConsumer } from '../queue/background-queue.js';
import { reasonOf } from '../shared/errors.js';
import type { Log } from '../shared/logger/log.js';
import type { Clock } from '../shared/time/clock.js';
import type { Duty } from './duty-failures.js';
import { createRepeatingDuty } from './repeating-duty.js';

/** With the 13 s of a lease: a host that died is noticed within 13.5 s. */
const LOOK_EVERY_MS = 500;
/** Recovering longer than this without a look would be a gap in the watch; the rest has its turn after the next. */
const LONGEST_ROUND_MS = 1_000;

interface RecovererOptions {
  readonly queue: RecoveryQueue;
  /** Left alone; undefined = the observer claims nothing itself. */
  readonly ownConsumer?: () => string;
  /** So many messages were buried as poison. */
  readonly onBuried?: (count: number) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Observes all leases on the queue and returns the claims of consumers whose lease is over (domain/clocks/lease-watch.ts): their
 * host died, or their process hangs. One for each host: the supervisor has one, and a worker without a supervisor.
 */
export function createRecoverer(options: RecovererOptions): Duty {
  const { queue, clock, log } = options;
  const recoverer = new Recoverer(options);
  return createRepeatingDuty({
    name: 'observation of leases',
    isVital: false,
    isReady: () => queue.isReady(),
    step: () => recoverer.look(),
    retryMs: LOOK_EVERY_MS,
    clock,
    log,
  });
}

class Recoverer {
  readonly #options: RecovererOptions;
  readonly #watch = new LeaseWatch();

  constructor(options: RecovererOptions) {
    this.#options = options;
  }

  /** Resolves to the ms until the next look. Rejects with the last trouble, when all the others have been served. */
  async look(): Promise<number> {
    const { clock, ownConsumer } = this.#options;
    const sentAt = clock.now();
    const { leases, late } = await this.#register();
    const over = this.#watch.look(leases, { sentAt, readAt: clock.now() });
    let trouble: Error | undefined;
    for (const seen of [...late, ...over]) {
      if (clock.now() - sentAt > LONGEST_ROUND_MS) break;
      if (seen.consumer === ownConsumer?.()) continue;
      await this.#recover(seen).catch((error: Error) => (trouble = error));
    }
    if (trouble) throw trouble;
    return Math.min(LOOK_EVERY_MS, Math.ceil(this.#watch.dueInMs(clock.now()) ?? LOOK_EVERY_MS));
  }

  /** A look that is refused proves that renewals are, too. */
  async #register(): Promise<Register> {
    try {
      return await this.#options.queue.register();
    } catch (error) {
      this.#watch.beginAgain(this.#options.clock.now());
      throw error;
    }
  }

  async #recover({ consumer, score }: RegisteredConsumer): Promise<void> {
    const { queue, onBuried, log } = this.#options;
    const { recovered, buried, skipped } = await queue.recover(consumer, { score }).catch((error: unknown) => {
      throw new Error(`what ${consumer} held cannot be recovered: ${reasonOf(error)}`, { cause: error });
    });
    if (recovered > 0) log.warn(`Recovered ${recovered} message(s) of ${consumer}, whose lease ran out`);
    if (skipped) log.warn(skippedText(skipped));
    if (buried === 0) return;
    onBuried?.(buried);
    log.error(
      `Moved ${buried} message(s) of ${consumer} to the dead list: they were in flight at ${POISON_CRASHES} crashes`,
    );
  }
}
