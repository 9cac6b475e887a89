import type { MainServer, StatusUpdate } from '../../delivery/main-server.js';
import type { CircuitBreaker } from '../../domain/circuit-breaker.js';
import type { DeliveryOutcome } from '../../domain/delivery-outcome.js';
import type { RouteRecord } from '../../domain/route-record.js';
import type { Clock } from '../../shared/time/clock.js';
import type { Deadline } from '../../shared/time/deadline.js';

interface ObservedServerOptions {
  readonly server: Pick<MainServer, 'deliver' | 'updateStatus'>;
  readonly breaker: CircuitBreaker;
  readonly route: RouteRecord;
  readonly clock: Clock;
}

/** The main server, each exchange with which the breaker and the record of its route learn from. */
export class ObservedServer implements Pick<MainServer, 'deliver' | 'updateStatus'> {
  readonly #options: ObservedServerOptions;

  constructor(options: ObservedServerOptions) {
    this.#options = options;
  }

  async deliver(messageId: string, signal: AbortSignal): Promise<DeliveryOutcome> {
    const { server, breaker, route, clock } = this.#options;
    const ticket = breaker.begin();
    const outcome = await server.deliver(messageId, signal);
    route.note(outcome);
    breaker.record(ticket, outcome, clock.now());
    return outcome;
  }

  async updateStatus(
    messageId: string,
    update: StatusUpdate,
    deadline: Deadline,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome> {
    const { server, breaker, clock } = this.#options;
    const ticket = breaker.begin();
    const outcome = await server.updateStatus(messageId, update, deadline, signal);
    breaker.record(ticket, outcome, clock.now());
    return outcome;
  }
}
