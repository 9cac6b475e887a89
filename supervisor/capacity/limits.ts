/** What a measurement may ask of a main server and a Redis that are in production. */

/**
 * Requests at once that the original main server bears, from everybody together: it has 10 + 20 connections to its database,
 * and each request beyond them stops it for 30 s. Measured: 28 in flight delivered 1,000 of 1,000, 48 only 47 of 1,500.
 */
export const ORIGINAL_BEARS = 30;
/** Of those, for proxies, which nobody here can count. */
const LEFT_TO_OTHERS = 4;
/** At once, unless more are asked for. */
export const MOST_UNASKED = 16;
/** At once, asked for. */
export const MOST_PARALLEL = 64;
export const MOST_REQUESTS = 5_000;
export const MOST_ROUND_TRIPS = 500;
export const DEFAULT_SECONDS = 8;
export const MOST_SECONDS = 60;

/** How many at once nobody is hurt by, beside workers that may have `inFlight` themselves. */
export function harmless(inFlight: number): number {
  return Math.max(1, Math.min(MOST_UNASKED, ORIGINAL_BEARS - LEFT_TO_OTHERS - inFlight));
}

/** So many of `wanted` at once as the fleet's cap leaves beside workers that have `inFlight` slots; 0 = there is no cap. */
export function withinCap(wanted: number, cap: number, inFlight: number): number {
  return cap === 0 ? wanted : Math.max(1, Math.min(wanted, cap - Math.min(cap, inFlight)));
}
