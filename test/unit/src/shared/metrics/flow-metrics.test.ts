import { expect, test } from 'vitest';
import type { FlowFacts } from '../../../../../src/domain/flow/flow-control.js';
import { createWorkerMetrics } from '../../../../../src/shared/metrics/worker-metrics.js';

test('a scrape shows the limit of the moment and what holds it', async () => {
  let flow: FlowFacts = { limit: 3, heldBy: 'server' };
  const { registry } = createWorkerMetrics('worker-1', { flow: () => flow });
  const shown = async () =>
    (await registry.metrics()).split('\n').filter((line) => /^worker_concurrency_limit.* [^0]/.test(line));
  expect(await shown()).toEqual([
    'worker_concurrency_limit{worker_id="worker-1"} 3',
    'worker_concurrency_limit_held_by{worker_id="worker-1",by="server"} 1',
  ]);
  flow = { limit: 1, heldBy: 'retry_after' };
  expect(await shown()).toEqual([
    'worker_concurrency_limit{worker_id="worker-1"} 1',
    'worker_concurrency_limit_held_by{worker_id="worker-1",by="retry_after"} 1',
  ]);
  registry.clear();
});
