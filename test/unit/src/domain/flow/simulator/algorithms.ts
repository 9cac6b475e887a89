import { ConcurrencyLimit } from '../../../../../../src/domain/flow/concurrency-limit.js';
import { FixedLimit, Gradient2, NetflixVegas, TcpVegas } from './published-limits.js';
import type { Scenario } from './scenarios.js';
import { simulate, type LimiterOf, type Result } from './simulation.js';

export const ours: LimiterOf = ({ most, consumers, loopBusyMs }) => {
  const limit = new ConcurrencyLimit({ most, share: { consumers, inFlightCap: undefined }, loopBusyMs });
  return {
    get limit() {
      return limit.limit;
    },
    begin: () => 0,
    full: () => limit.full(),
    answered: (_ticket, ms, now) => limit.answered(ms, now),
    halve: (now) => limit.halve(now),
  };
};

export const PUBLISHED: Readonly<Record<string, LimiterOf>> = {
  'TCP Vegas': ({ most }) => new TcpVegas(most),
  'Vegas (Netflix)': ({ most, random }) => new NetflixVegas(most, random),
  Gradient2: ({ most }) => new Gradient2(most),
};

/** What is tried, of each worker, to find the best fixed one. */
const FIXED = [1, 2, 4, 8, 16, 24, 64];

export function bestFixed(scenario: Scenario): Result & { readonly limit: number } {
  const tried = FIXED.filter((limit) => limit <= scenario.concurrency).map((limit) => ({
    limit,
    ...simulate(scenario, () => new FixedLimit(limit)),
  }));
  return tried.reduce((best, each) => (each.ms < best.ms * 0.999 ? each : best));
}
