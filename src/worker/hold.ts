import type { FleetSeat } from '../domain/flow/fleet-share.js';
import type { HeldBy } from '../shared/ipc.js';

/** Why a worker claims nothing although nothing is wrong. */
interface Hold {
  readonly by: HeldBy;
  /** Without a capital letter, for a list of reasons. */
  readonly text: string;
}

export function holdOf(fleet: Pick<FleetSeat, 'allotment' | 'inFlightCap'>): Hold | undefined {
  const { allotment, inFlightCap } = fleet;
  if (!allotment || inFlightCap !== 0) return undefined;
  const { share, members } = allotment;
  const text =
    share === 0
      ? `fleet cap: MAIN_SERVER_MAX_IN_FLIGHT leaves nothing for this one of ${members} workers`
      : 'fleet cap: its part of MAIN_SERVER_MAX_IN_FLIGHT is not free yet';
  return { by: 'fleet_cap', text };
}
