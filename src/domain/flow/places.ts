/**
 * How the places at the main server are divided between deliveries and status PUTs: it serves both from one pool, so what
 * it bears, and what it is capped to, holds for their sum. Pure.
 *
 * PUTs have half of them at most: where nothing is delivered both are as many, and a server that hangs on PUT must not
 * hold deliveries up. Of a limit of one both have one in turn where the fleet has a cap. Where it has none the limit is
 * what was found so far, or begun with again after an outage, and not what the server bears: there a delivery never waits
 * for a PUT.
 */
export interface Places {
  /** In flight at most: what flow control has found, or WORKER_CONCURRENCY. */
  readonly limit: number;
  /** This worker's part of MAIN_SERVER_MAX_IN_FLIGHT; undefined = there is no cap. */
  readonly cap: number | undefined;
}

/** How many PUTs may be under way at once. */
export function mostStatuses({ limit, cap = Infinity }: Places): number {
  return cap < 1 ? 0 : Math.max(1, Math.floor(Math.min(limit, cap) / 2));
}

/** How many more deliveries may begin beside so many, and so many PUTs that are under way or go before. */
export function freeForDeliveries(deliveries: number, statuses: number, { limit, cap = Infinity }: Places): number {
  const found = limit - deliveries - Math.min(statuses, limit - 1);
  return Math.max(0, Math.min(found, cap - deliveries - statuses));
}

/** Whether one more PUT may begin beside so many deliveries and so many PUTs. */
export function mayTell(deliveries: number, statuses: number, places: Places): boolean {
  const { limit, cap = Infinity } = places;
  if (statuses >= mostStatuses(places) || deliveries + statuses >= cap) return false;
  return limit === 1 || deliveries + statuses < limit;
}
