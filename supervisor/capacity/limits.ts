/** What a measurement may ask of a main server and a Redis that are in production. */
export const MOST_PARALLEL = 64;
export const MOST_REQUESTS = 5_000;
export const MOST_ROUND_TRIPS = 500;
export const DEFAULT_SECONDS = 8;
export const MOST_SECONDS = 60;
