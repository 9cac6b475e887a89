import { expect, test } from 'vitest';
import { createWorkerMetrics } from '../../../../../src/shared/metrics/worker-metrics.js';
import { SkippedWritesWatch } from '../../../../../src/worker/loop/skipped-writes.js';
import { recordedLog } from '../../../../support/recorded-log.js';

test('what is skipped is counted each time, and one WARNING for each reason names the permission', async () => {
  const metrics = createWorkerMetrics('worker-1');
  const log = recordedLog();
  const watch = new SkippedWritesWatch({ metrics, log });
  const reason = "ERR The user executing the script can't run this command (HSET {q}:dead:letters)";
  for (let time = 0; time < 3; time += 1) watch.note({ letters: 2, tellings: 1, reason });
  const text = await metrics.registry.metrics();
  expect(text).toContain('worker_redis_writes_skipped_total{worker_id="worker-1",what="telling"} 3');
  expect(text).toContain('worker_redis_writes_skipped_total{worker_id="worker-1",what="index"} 6');
  expect(log.lines).toHaveLength(1);
  expect(log.lines[0]).toMatch(/^WARNING .*\(HSET \{q\}:dead:letters\)\. So the main server is not told of 1 burial/);
  watch.note({ letters: 0, tellings: 1, reason: 'WRONGTYPE (ZADD {q}:untold)' });
  expect(log.lines).toHaveLength(2);
});
