import type { MainServer, StatusUpdate } from '../../delivery/main-server.js';
import type { DeliveryOutcome } from '../../domain/delivery-outcome.js';
import type { FlowControl } from '../../domain/flow/flow-control.js';
import type { RouteRecord } from '../../domain/route-record.js';
import type { Clock } from '../../shared/time/clock.js';
import type { Deadline } from '../../shared/time/deadline.js';

interface ObservedServerOptions {
  readonly server: Pick<MainServer, 'deliver' | 'updateStatus'>;
  readonly flow: FlowControl;
  readonly route: RouteRecord;
  readonly clock: Clock;
}

/** The main server, each exchange with which the flow control and the record of its route learn from. */
export class ObservedServer implements Pick<MainServer, 'deliver' | 'updateStatus'> {
  readonly #options: ObservedServerOptions;

  constructor(options: ObservedServerOptions) {
    this.#options = options;
  }

  deliver(messageId: string, signal: AbortSignal): Promise<DeliveryOutcome> {
    const { server, flow, route, clock } = this.#options;
    const startedAt = clock.now();
    const ticket = flow.begin(startedAt);
    return server.deliver(messageId, signal, (outcome) => {
      const now = clock.now();
      route.note(outcome);
      flow.record(ticket, outcome, now - startedAt, now);
    });
  }

  async updateStatus(
    messageId: string,
    update: StatusUpdate,
    deadline: Deadline,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome> {
    const { server, flow, clock } = this.#options;
    const ticket = flow.breaker.begin();
    const outcome = await server.updateStatus(messageId, update, deadline, signal);
    flow.recordStatus(ticket, outcome, clock.now());
    return outcome;
  }
}
