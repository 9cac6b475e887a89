/** The limit of concurrency, and published ones, at main servers of all kinds; docs/flow shows the table. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../../../../src/shared/config/package-root.js';
import { bestFixed, ours } from './simulator/algorithms.js';
import { SCENARIOS } from './simulator/scenarios.js';
import { simulate } from './simulator/simulation.js';
import { tableOf, type Run } from './simulator/table.js';

const runs: readonly Run[] = SCENARIOS.map((scenario) => ({
  scenario,
  best: bestFixed(scenario),
  result: simulate(scenario, ours),
}));

describe.each(runs)('$scenario.name', ({ scenario, best, result }) => {
  test('takes at most 1.1 times as long as with the best fixed concurrency', () => {
    expect(result.ms / best.ms).toBeLessThanOrEqual(1.1);
  });

  test('starves no worker', () => {
    expect(result.leastShare).toBeGreaterThan(0.25);
  });

  test('never has more in flight than the server bears', () => {
    expect(result.mostInFlight).toBeLessThanOrEqual(scenario.freezesBeyond ?? Infinity);
  });
});

test('at the serial server most deliveries take at most five times as long as a lone one', () => {
  const lone = 6 + 0.4 + 0.06 + 0.04;
  for (const { scenario, result } of runs) {
    if (scenario.name.startsWith('serial, 6 ms')) expect(result.p95Ms).toBeLessThanOrEqual(5 * lone);
  }
});

test('where the server answers at once, and only our own processor is waited for, all of WORKER_CONCURRENCY is used', () => {
  for (const { scenario, result } of runs) {
    if (!/at once|our own/.test(scenario.name)) continue;
    expect(result.limits).toEqual(result.limits.map(() => scenario.concurrency));
  }
});

test('docs/flow/README.md shows these figures', () => {
  expect(readFileSync(join(packageRoot, 'docs', 'flow', 'README.md'), 'utf8')).toContain(tableOf(runs));
});
