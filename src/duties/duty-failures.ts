/**
 * How long a duty has failed, and what is said of it.
 *
 *   works ──fails──▶ failing ──10 s──▶ said, a warning ──30 s, if delivery or retries hang on it──▶ it stops them
 *     └───────────works again─┴────────────────┘
 *
 * A duty tries again by itself, mostly within a second: what is over sooner than 10 s is a line for debugging.
 */
import { reasonOf } from '../shared/errors.js';
import type { DutyTrouble } from '../shared/ipc.js';
import type { Life } from '../shared/life.js';
import type { Log } from '../shared/logger/log.js';
import type { Clock } from '../shared/time/clock.js';
import { asSentence } from '../shared/words/causes.js';
import type { DutyName } from '../shared/words/duties.js';

const SAID_AFTER_MS = 10_000;
const STOPS_AFTER_MS = 30_000;

/** What runs beside the work loop and can be asked whether it works. */
export interface Duty extends Life {
  readonly trouble: DutyTrouble | undefined;
}

interface DutyFailuresOptions {
  /** As in "the retry scheduler has failed". */
  readonly name: DutyName;
  /** Delivery or retries hang on it. */
  readonly isVital: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export class DutyFailures {
  readonly #options: DutyFailuresOptions;
  #failing: { readonly since: number; readonly reason: string; readonly isSaid: boolean } | undefined;

  constructor(options: DutyFailuresOptions) {
    this.#options = options;
  }

  /** Undefined for the first 10 s. */
  get trouble(): DutyTrouble | undefined {
    return this.#failing && troubleOf(this.#options, this.#failing.reason, this.#ageMs);
  }

  failed(error: unknown): void {
    const { name, clock, log } = this.#options;
    const reason = reasonOf(error);
    const { since, isSaid } = this.#failing ?? { since: clock.now(), isSaid: false };
    this.#failing = { since, reason, isSaid: isSaid || clock.now() - since >= SAID_AFTER_MS };
    const text = sentence(name, reason, this.#ageMs);
    if (this.#failing.isSaid && !isSaid) log.error(`${asSentence(text)}; it is tried again and again`);
    else log.debug(`The ${name} failed and is tried again: ${reason}`);
  }

  worked(): void {
    const { name, log } = this.#options;
    if (this.#failing?.isSaid) log.info(`The ${name} works again after ${(this.#ageMs / 1_000).toFixed(0)} s`);
    this.#failing = undefined;
  }

  /** It cannot be done now, for a reason that others tell. */
  excused(): void {
    this.#failing = undefined;
  }

  get #ageMs(): number {
    return this.#options.clock.now() - (this.#failing?.since ?? Infinity);
  }
}

/** What is said of a duty that has failed for so long; undefined for the first 10 s. */
export function troubleOf(
  { name, isVital }: Pick<DutyFailuresOptions, 'name' | 'isVital'>,
  reason: string,
  ageMs: number,
): DutyTrouble | undefined {
  if (ageMs < SAID_AFTER_MS) return undefined;
  return { duty: name, text: sentence(name, reason, ageMs), stops: isVital && ageMs >= STOPS_AFTER_MS };
}

/** The same while nothing but time changes. */
function sentence(name: DutyName, reason: string, ageMs: number): string {
  const seconds = (ageMs >= STOPS_AFTER_MS ? STOPS_AFTER_MS : SAID_AFTER_MS) / 1_000;
  return `the ${name} has failed for more than ${seconds} s: ${reason}`;
}
