/** What the development main server can be made to do wrong, while it runs. */
export interface Faults {
  /** POST /internal/messages/deliver. */
  readonly post: RouteFaults;
  /** PUT /internal/messages/{id}/status. */
  readonly put: RouteFaults;
  health: 'healthy' | 'unhealthy' | 'absent' | 'hang';
  healthDelayMs: number;
  /**
   * A message is answered 404 for that long after it was enqueued, which the server knows by `enqueued`, else by the first
   * sight of its id: the proxy registers after it enqueues.
   */
  unknownForMs: number;
  /** And for a share of this more, by chance, each message its own. */
  unknownSpreadMs: number;
  /** These ids are answered 404. */
  readonly unknownIds: Set<string>;
  /** The next so many requests on a socket that served one before find it closed: the keep-alive race. */
  staleCloses: number;
  /** The server works on one request at a time, for so long, and does what it has read though its client has gone. */
  serialMs: number;
  /** Connections to the database; each request holds one until it is answered. 0 = without end. */
  poolSize: number;
  /** For that long nothing at all is done when a request finds no connection, which then is answered 500. */
  freezeMs: number;
  /** Beyond so many POSTs in a second it answers 429 with Retry-After. 0 = no limit. */
  maxPerSecond: number;
  /** With each 429 and 503 of its own making; 0 = no Retry-After, as the real one. */
  retryAfterS: number;
  /** Out of so much time since its start, ... 0 = never. */
  outageEveryMs: number;
  /** ... the last so much it answers 503 to everything, with Retry-After. */
  outageForMs: number;
  /** When it serves again after an outage, requests take five times as long at first, less and less over this time. */
  slowStartMs: number;
}

export interface RouteFaults {
  /** Share of the requests, 0 to 1, that are answered with `failStatus`. */
  failRate: number;
  /** The first so many requests for each id are answered with `failStatus`. */
  failFirst: number;
  /** Default 503. */
  failStatus: number;
  /** Every request is answered with this. 3xx carries a Location. */
  status: number | undefined;
  delayMs: number;
  /** Requests that arrive while this is set are never answered. */
  hang: boolean;
  body: BodyFault;
}

/**
 *  normal  what the real server says
 *  drip    200, then one byte every 100 ms for ever
 *  huge    the status, then 250 MB
 *  bomb    the status, then 100 MB of zeros packed with gzip, whatever was accepted
 *  cut     RST in the middle of the body
 *  drop    FIN before any byte of an answer
 *  rst     RST before any byte of an answer
 */
export type BodyFault = 'normal' | 'drip' | 'huge' | 'bomb' | 'cut' | 'drop' | 'rst';

/** What the real server waits for a connection, with its event loop blocked. */
const ORIGINAL_FREEZE_MS = 30_000;

/**
 * Measured at the real main server: 158 deliveries a second with one connection and 166 with four, 10 + 20 connections to
 * its database, and a proxy that commits the row 20 to 90 ms after it has enqueued the message.
 */
export const LIKE_ORIGINAL = {
  serialMs: 6,
  poolSize: 30,
  freezeMs: ORIGINAL_FREEZE_MS,
  unknownForMs: 20,
  unknownSpreadMs: 70,
} as const satisfies Partial<Faults>;

export function noFaults(): Faults {
  return {
    post: noRouteFaults(),
    put: noRouteFaults(),
    health: 'healthy',
    healthDelayMs: 0,
    unknownForMs: 0,
    unknownSpreadMs: 0,
    unknownIds: new Set(),
    staleCloses: 0,
    serialMs: 0,
    poolSize: 0,
    freezeMs: ORIGINAL_FREEZE_MS,
    maxPerSecond: 0,
    retryAfterS: 0,
    outageEveryMs: 0,
    outageForMs: 0,
    slowStartMs: 0,
  };
}

function noRouteFaults(): RouteFaults {
  return { failRate: 0, failFirst: 0, failStatus: 503, status: undefined, delayMs: 0, hang: false, body: 'normal' };
}

/** Puts `faults` back to none, in place. */
export function clearFaults(faults: Faults): void {
  const { post, put, unknownIds, ...rest } = noFaults();
  Object.assign(faults.post, post);
  Object.assign(faults.put, put);
  Object.assign(faults, rest);
  faults.unknownIds.clear();
  unknownIds.clear();
}
