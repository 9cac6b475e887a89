import type { FleetSeat } from '../domain/flow/fleet-share.js';
import type { FlowControl } from '../domain/flow/flow-control.js';
import type { Pace } from '../domain/flow/pace.js';
import type { HeldBy } from '../shared/ipc.js';
import type { PauseWatch } from './loop/pause-watch.js';

/** Why a worker claims less than it could, or nothing, although nothing is wrong. */
interface Hold {
  readonly by: HeldBy;
  /** Without a capital letter, for a list of reasons. */
  readonly text: string;
}

export interface Holders {
  readonly fleet: Pick<FleetSeat, 'allotment' | 'inFlightCap'>;
  readonly flow: Pick<FlowControl, 'holdMs'>;
  readonly pace: Pick<Pace, 'isHolding' | 'perSecond'>;
  readonly pause: Pick<PauseWatch, 'isPaused'>;
}

/** What holds all of it before what holds some of it. */
export function holdOf({ fleet, flow, pace, pause }: Holders, now: number): Hold | undefined {
  // who, why and until when is said once for all workers
  if (pause.isPaused) return { by: 'paused', text: 'deliveries are paused' };
  const restMs = flow.holdMs(now);
  if (restMs > 0) {
    return { by: 'retry_after', text: `the main server asks for ${Math.ceil(restMs / 1000)} s of rest (Retry-After)` };
  }
  const { allotment, inFlightCap } = fleet;
  if (!allotment || inFlightCap !== 0) return pace.isHolding ? heldByRate(pace.perSecond) : undefined;
  const { share, members } = allotment;
  const text =
    share === 0
      ? `fleet cap: MAIN_SERVER_MAX_IN_FLIGHT leaves nothing for this one of ${members} workers`
      : 'fleet cap: its part of MAIN_SERVER_MAX_IN_FLIGHT is not free yet';
  return { by: 'fleet_cap', text };
}

function heldByRate(perSecond: number): Hold {
  return { by: 'rate', text: `rate: MAIN_SERVER_MAX_RATE is ${perSecond} a second for all workers` };
}
