/** What a worker knows of the others on its queue, and what they leave to it. */
export interface FleetShare {
  /**
   * Workers on this queue whose lease has not run out, this one among them: as of the last renewal, at most 4 s ago. One that
   * died counts until its claims are recovered, one that drains until it is gone; Python workers have no lease.
   */
  readonly consumers: number;
  /** What this worker may have in flight at most; undefined = the fleet has no cap. */
  readonly inFlightCap: number | undefined;
}

/** This worker's place in the fleet, as Redis last told it. */
export class FleetSeat implements FleetShare {
  #consumers = 1;

  get consumers(): number {
    return this.#consumers;
  }

  get inFlightCap(): number | undefined {
    return undefined;
  }

  /** With each renewal of the lease. */
  noteConsumers(living: number): void {
    this.#consumers = living;
  }
}
