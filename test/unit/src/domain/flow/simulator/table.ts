import { PUBLISHED, type bestFixed } from './algorithms.js';
import type { Scenario } from './scenarios.js';
import { simulate, type Result } from './simulation.js';

export interface Run {
  readonly scenario: Scenario;
  readonly best: ReturnType<typeof bestFixed>;
  readonly result: Result;
}

/** In Markdown. Of each algorithm: its time in times of the best fixed limit's, and the most in flight. */
export function tableOf(runs: readonly Run[]): string {
  const cell = ({ ms, mostInFlight }: Result, bestMs: number) =>
    ms === Infinity ? `never, ${mostInFlight}` : `${(ms / bestMs).toFixed(2)}, ${mostInFlight}`;
  const names = Object.keys(PUBLISHED);
  const rows = runs.map(({ scenario, best, result }) => [
    scenario.name,
    `${best.limit}: ${(best.ms / 1000).toFixed(1)} s, ${best.mostInFlight}`,
    ...Object.values(PUBLISHED).map((limiter) => cell(simulate(scenario, limiter), best.ms)),
    `**${cell(result, best.ms)}**`,
    `${result.p95Ms.toFixed(1)} ms`,
    scenario.workers === 1 ? '' : result.leastShare.toFixed(2),
  ]);
  const head = ['main server; workers × concurrency', 'best fixed', ...names, 'ours', 'ours, p95', 'least share'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}
