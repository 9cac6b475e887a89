/**
 * Puts back on the queue what dead processes held, long before their leases run out.
 *
 * `recoverDead` serves a child whose exit we saw: after half a second, again every 250 ms while Redis is away (for 60 s; then
 * the lease is over long ago and an observer does it), and once more a second later, because a claim can land in Redis in the
 * very moment its process dies.
 *
 * Half a second, because a message may be what killed it: put back at once, it took one worker after the other down, within
 * milliseconds, and nobody was up for up to 0.7 s. Now the first is back, as a rule, before the next one goes: it is started
 * after 100 ms and boots in 300 to 400.
 *
 * `recoverOrphans` serves what a killed primary and its children left on this host: during our first 20 s, consumers whose
 * process is gone. Its children may live a little longer than the primary, so one look is not enough.
 */
import { skippedText, type SkippedWrites } from '../../src/domain/dead-letters/skipped.js';
import { localPid } from '../../src/queue/keys.js';
import type { Clock } from '../../src/shared/time/clock.js';
import { reasonOf } from '../../src/shared/errors.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import { isRunning } from '../workers/process/process-running.js';
import type { Burials } from './burials.js';
import type { Borrowed, QueueAccess, QueueSettings } from './queue-access.js';

const WAIT_MS = 500;
const RETRY_MS = 250;
const GIVE_UP_AFTER_MS = 60_000;
const SECOND_LOOK_MS = 1_000;
const ORPHAN_LOOK_MS = 500;
const ORPHAN_WATCH_MS = 20_000;
/** When we stop, Redis gets this long to take what the last killed ones held. */
const LAST_RECOVERY_MS = 1_000;

interface DeadWorker {
  /** To stand at the start of a log line. */
  readonly title: string;
  readonly consumers: ReadonlySet<string>;
  readonly config: QueueSettings;
}

interface Found {
  recovered: number;
  buried: number;
  /** Beside burials. */
  readonly skipped: SkippedWrites[];
}

const nothing = (): Found => ({ recovered: 0, buried: 0, skipped: [] });

interface ClaimRecoveryOptions {
  readonly access: Pick<QueueAccess, 'borrow'>;
  /** Where what a killed supervisor left is looked for. */
  readonly settings: QueueSettings;
  readonly burials: Pick<Burials, 'add'>;
  readonly log: Log;
  readonly clock: Clock;
}

export class ClaimRecovery implements Life {
  readonly #access: Pick<QueueAccess, 'borrow'>;
  readonly #settings: QueueSettings;
  readonly #burials: Pick<Burials, 'add'>;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #running = new Set<Promise<void>>();
  readonly #firstLooks = new Set<Promise<Found>>();
  /** Of children whose claims wait to be put back. */
  readonly #waiting = new Set<string>();
  readonly #hurry = new AbortController();
  readonly #end = new AbortController();
  #started = false;
  #stopping: Promise<void> | undefined;

  constructor({ access, settings, burials, log, clock }: ClaimRecoveryOptions) {
    this.#access = access;
    this.#settings = settings;
    this.#burials = burials;
    this.#log = log;
    this.#clock = clock;
  }

  start(): void {
    if (this.#started || this.#stopping) return;
    this.#started = true;
    this.#recoverOrphans();
  }

  /** What was found dead gets a last second; what only waits ends at once. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#finish());
  }

  recoverDead(dead: DeadWorker): void {
    if (this.#stopping) return;
    this.#run(dead.config, dead.title, async (connection) => {
      const first = await this.#first(connection, dead);
      this.#report(dead.title, first);
      await this.#clock.sleep(SECOND_LOOK_MS, this.#end.signal);
      if (this.#end.signal.aborted) return;
      this.#report(dead.title, await recoverAll(connection, dead.consumers));
    });
  }

  #recoverOrphans(): void {
    this.#run(this.#settings, 'Looking for what a killed supervisor left', async (connection) => {
      const until = this.#clock.now() + ORPHAN_WATCH_MS;
      while (!this.#end.signal.aborted && this.#clock.now() < until) {
        await connection.whenReady(ORPHAN_LOOK_MS);
        if (connection.isReady()) await this.#lookForOrphans(connection);
        await this.#clock.sleep(ORPHAN_LOOK_MS, this.#end.signal);
      }
    });
  }

  async #finish(): Promise<void> {
    this.#hurry.abort();
    const finished = new AbortController();
    const outOfTime = this.#clock.sleep(LAST_RECOVERY_MS, finished.signal);
    await Promise.race([Promise.allSettled(this.#firstLooks), outOfTime]);
    this.#end.abort();
    await Promise.race([Promise.all(this.#running), outOfTime]);
    finished.abort();
  }

  async #first(connection: Borrowed, dead: DeadWorker): Promise<Found> {
    const look = this.#afterWait(dead).then(() => this.#untilDone(connection, dead));
    this.#firstLooks.add(look);
    try {
      return await look;
    } finally {
      this.#firstLooks.delete(look);
    }
  }

  async #afterWait({ consumers }: DeadWorker): Promise<void> {
    for (const consumer of consumers) this.#waiting.add(consumer);
    await this.#clock.sleep(WAIT_MS, this.#hurry.signal);
    for (const consumer of consumers) this.#waiting.delete(consumer);
  }

  async #untilDone(connection: Borrowed, dead: DeadWorker): Promise<Found> {
    const until = this.#clock.now() + GIVE_UP_AFTER_MS;
    const found = nothing();
    for (;;) {
      try {
        await connection.whenReady(RETRY_MS);
        return await recoverAll(connection, dead.consumers, found);
      } catch (error) {
        if (this.#end.signal.aborted || this.#clock.now() > until) throw error;
        await this.#clock.sleep(RETRY_MS, this.#end.signal);
      }
    }
  }

  async #lookForOrphans(connection: Borrowed): Promise<void> {
    try {
      const { leases, late } = await connection.queue.register();
      const gone = [...leases, ...late].filter(({ consumer }) => isGone(consumer) && !this.#waiting.has(consumer));
      for (const { consumer } of gone) await this.#recoverOrphan(connection, consumer);
    } catch (error) {
      this.#log.debug(`Looking for abandoned messages failed and is tried again: ${reasonOf(error)}`);
    }
  }

  /** What cannot be recovered keeps nobody from the others. */
  async #recoverOrphan(connection: Borrowed, consumer: string): Promise<void> {
    const title = `A process of this host that is gone (${consumer})`;
    try {
      this.#report(title, await recoverAll(connection, [consumer]));
    } catch (error) {
      this.#log.debug(`${title}: its messages could not be put back yet: ${reasonOf(error)}`);
    }
  }

  #report(title: string, found: Found): void {
    if (found.recovered > 0) this.#log.warn(`${title}: ${found.recovered} of its messages are back in the queue`);
    if (found.buried > 0) {
      this.#burials.add(found.buried);
      this.#log.error(
        `${title}: ${found.buried} of its messages were in flight at too many crashes and are dead letters now`,
      );
    }
    for (const skipped of found.skipped) this.#log.warn(`${title}: ${skippedText(skipped)}`);
  }

  #run(config: QueueSettings, title: string, work: (connection: Borrowed) => Promise<void>): void {
    const run = this.#borrowed(config, work)
      .catch((error: unknown) =>
        this.#log.warn(
          `${title}: its messages could not be put back yet (${reasonOf(error)}); they come back when its lease is over`,
        ),
      )
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #borrowed(config: QueueSettings, work: (connection: Borrowed) => Promise<void>): Promise<void> {
    const connection = this.#access.borrow(config);
    try {
      await work(connection);
    } finally {
      await connection.release();
    }
  }
}

function isGone(consumer: string): boolean {
  const pid = localPid(consumer);
  return pid !== undefined && !isRunning(pid);
}

/** Adds to `found`. Rejects with the last trouble, when all the others have been served. */
async function recoverAll(connection: Borrowed, consumers: Iterable<string>, found: Found = nothing()): Promise<Found> {
  let trouble: Error | undefined;
  for (const consumer of consumers) {
    try {
      const { recovered, buried, skipped } = await connection.queue.recover(consumer, { evenIfLeased: true });
      found.recovered += recovered;
      found.buried += buried;
      if (skipped) found.skipped.push(skipped);
    } catch (error) {
      trouble = error instanceof Error ? error : new Error(String(error));
    }
  }
  if (trouble) throw trouble;
  return found;
}
