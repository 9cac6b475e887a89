import type { MainServer, StatusUpdate } from '../../delivery/main-server.js';
import type { CircuitBreaker, Ticket } from '../../domain/circuit-breaker.js';
import type { DeliveryOutcome } from '../../domain/delivery-outcome.js';
import type { Clock } from '../../shared/time/clock.js';
import type { Deadline } from '../../shared/time/deadline.js';

interface ObservedServerOptions {
  readonly server: Pick<MainServer, 'deliver' | 'updateStatus'>;
  readonly breaker: CircuitBreaker;
  readonly clock: Clock;
}

/** The main server, each exchange with which the breaker learns from. */
export class ObservedServer implements Pick<MainServer, 'deliver' | 'updateStatus'> {
  readonly #options: ObservedServerOptions;

  constructor(options: ObservedServerOptions) {
    this.#options = options;
  }

  deliver(messageId: string, signal: AbortSignal): Promise<DeliveryOutcome> {
    const { server, breaker } = this.#options;
    return this.#observed(breaker.begin(), server.deliver(messageId, signal));
  }

  updateStatus(
    messageId: string,
    update: StatusUpdate,
    deadline: Deadline,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome> {
    const { server, breaker } = this.#options;
    return this.#observed(breaker.begin(), server.updateStatus(messageId, update, deadline, signal));
  }

  async #observed(ticket: Ticket, exchange: Promise<DeliveryOutcome>): Promise<DeliveryOutcome> {
    const outcome = await exchange;
    this.#options.breaker.record(ticket, outcome, this.#options.clock.now());
    return outcome;
  }
}
