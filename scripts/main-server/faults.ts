/** What the development main server can be made to do wrong, while it runs. */
export interface Faults {
  /** POST /internal/messages/deliver. */
  readonly post: RouteFaults;
  /** PUT /internal/messages/{id}/status. */
  readonly put: RouteFaults;
  health: 'healthy' | 'unhealthy' | 'absent' | 'hang';
  /** A message is answered 404 for that long after its id was first seen: the proxy registers after it enqueues. */
  unknownForMs: number;
  /** These ids are answered 404. */
  readonly unknownIds: Set<string>;
  /** The next so many requests on a socket that served one before find it closed: the keep-alive race. */
  staleCloses: number;
  /** The server works on one request at a time, for so long, and does what it has read though its client has gone. */
  serialMs: number;
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

export function noFaults(): Faults {
  return {
    post: noRouteFaults(),
    put: noRouteFaults(),
    health: 'healthy',
    unknownForMs: 0,
    unknownIds: new Set(),
    staleCloses: 0,
    serialMs: 0,
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
