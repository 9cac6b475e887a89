import type { MainServer } from '../../delivery/main-server.js';
import { ABORTED, type DeliveryOutcome } from '../../domain/delivery-outcome.js';
import type { RegistrationLag, YoungMessage } from '../../domain/registration/registration-lag.js';
import type { Log } from '../../shared/logger/log.js';
import type { Clock } from '../../shared/time/clock.js';
import { printable } from '../../shared/words/escape.js';
import type { Held } from './held.js';

interface UntilRegisteredOptions {
  readonly server: Pick<MainServer, 'deliver'>;
  readonly lag: Pick<RegistrationLag, 'againInMs' | 'registered'>;
  readonly held: Pick<Held, 'wait'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the POSTs of one attempt came to. */
export interface Posted {
  readonly outcome: DeliveryOutcome;
  /** When the last was sent, monotonic. */
  readonly sentAt: number;
  /** What all of them took, without the pauses between them. */
  readonly tookMs: number;
}

/** The main server answered that it has no such message. */
export function isUnregistered(outcome: DeliveryOutcome): boolean {
  return outcome.kind === 'failed' && outcome.messageUnknown;
}

/** Repeats the POST of a young message inside its attempt until it is registered, and learns from all that are. */
export class UntilRegistered {
  readonly #options: UntilRegisteredOptions;

  constructor(options: UntilRegisteredOptions) {
    this.#options = options;
  }

  /** After its first POST. Aborted = hand it back: killed, or no slot came free for the next. */
  async repeat(id: string, young: YoungMessage, first: Posted, signal: AbortSignal): Promise<Posted> {
    const { server, lag, held, clock, log } = this.#options;
    let { outcome, sentAt, tookMs } = first;
    let unknownAt: number | undefined;
    for (let looks = 1; isUnregistered(outcome); looks += 1) {
      const waitMs = lag.againInMs(young, looks, clock.now());
      if (waitMs === undefined) break;
      log.debug(
        `Main server does not know message ${printable(id, 255)} yet, asking again in ${Math.round(waitMs)} ms`,
      );
      unknownAt = sentAt;
      if (!(await held.wait(waitMs, { isBegun: true, signal }))) return { outcome: ABORTED, sentAt, tookMs };
      sentAt = clock.now();
      outcome = await server.deliver(id, signal);
      tookMs += clock.now() - sentAt;
    }
    if (outcome.kind === 'delivered') lag.registered(young, unknownAt, sentAt);
    return { outcome, sentAt, tookMs };
  }
}
