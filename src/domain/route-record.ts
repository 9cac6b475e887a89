import { isNoSuchRoute, type DeliveryOutcome } from './delivery-outcome.js';

/** So many POSTs in a row, and it is not the messages: the address is wrong. */
const ENOUGH = 20;

/** Whether the main server has the route that messages are POSTed to, judged by its last answers. */
export class RouteRecord {
  #missedInARow = 0;

  /** The last 20 POSTs were all answered with "no such route". */
  get isMissing(): boolean {
    return this.#missedInARow >= ENOUGH;
  }

  /** The outcome of a POST. One without an answer says nothing of the route. */
  note(outcome: DeliveryOutcome): void {
    if (outcome.kind === 'aborted') return;
    if (isNoSuchRoute(outcome)) this.#missedInARow += 1;
    else if (outcome.status !== undefined) this.#missedInARow = 0;
  }
}
