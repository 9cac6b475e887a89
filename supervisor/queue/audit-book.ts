import type { Deed } from '../../src/domain/audit/deed.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import { reasonOf } from '../../src/shared/errors.js';
import { printable } from '../../src/shared/words/escape.js';
import type { QueueAccess, QueueSettings } from './queue-access.js';

interface AuditBookOptions {
  readonly access: Pick<QueueAccess, 'borrow'>;
  readonly settings: () => QueueSettings;
  readonly log: Log;
  readonly clock: Clock;
}

const REACH_MS = 1_000;

/** Writes down in Redis what was done to this supervisor. What cannot be written there stands in the log. */
export class AuditBook implements Life {
  readonly #options: AuditBookOptions;
  /** One after the other, so that they stand in the order in which they were done. */
  #last: Promise<void> = Promise.resolve();
  #missing = 0;
  #stopping = false;

  constructor(options: AuditBookOptions) {
    this.#options = options;
  }

  /** Nothing to do: it connects for each deed. */
  start(): void {}

  /** Until all is written down, or cannot be; an outage of Redis is not waited for any more. */
  stop(): Promise<void> {
    this.#stopping = true;
    return this.#last;
  }

  /** Resolves when it is written down, or cannot be: nobody has to wait for that. Never rejects. */
  note(deed: Deed): Promise<void> {
    return (this.#last = this.#last.then(() => this.#note(deed)));
  }

  async #note(deed: Deed): Promise<void> {
    const { log } = this.#options;
    const refusal = await this.#write(deed).catch(reasonOf);
    if (refusal === undefined) {
      if (this.#missing > 0) log.info(`The audit goes on; ${this.#missing} entries are missing from it`);
      this.#missing = 0;
      return;
    }
    this.#missing += 1;
    const { action, who, where, detail } = deed;
    const what = [action, ...(detail === undefined ? [] : [`(${detail})`]), 'by', who, 'on', where].join(' ');
    log.warn(`Not written into the audit: ${printable(what, 500)}: ${refusal}`);
  }

  async #write(deed: Deed): Promise<string | undefined> {
    const { access, settings } = this.#options;
    const connection = access.borrow(settings());
    try {
      if (!this.#stopping) await connection.whenReady(REACH_MS);
      return await connection.audit.note(deed);
    } finally {
      await connection.release();
    }
  }
}
