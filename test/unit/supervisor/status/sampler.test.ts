import { expect, test } from 'vitest';
import { systemClock } from '../../../../src/shared/time/clock.js';
import { CountLedger } from '../../../../supervisor/status/counts.js';
import { Sampler } from '../../../../supervisor/status/sampler.js';
import { WorkerSlot } from '../../../../supervisor/workers/worker-slot.js';
import { conformsToLife } from '../../../support/life.js';
import { VirtualClock } from '../../../support/virtual-clock.js';
import { someStatus } from '../../contract/some-status.js';
import { handleOf, ScriptedChild } from '../workers/scripted-child.js';

conformsToLife({
  name: 'the sampler',
  make: () => new Sampler({ counts: new CountLedger(), slots: () => [], status: someStatus, clock: systemClock }),
});

test('it looks every two seconds until it is stopped, whether or not anybody looks', async () => {
  const clock = new VirtualClock();
  const child = new ScriptedChild();
  const slot = new WorkerSlot(1);
  slot.current = handleOf(child, clock);
  const sampler: Sampler = new Sampler({
    counts: new CountLedger(),
    slots: () => [slot],
    status: () => ({ ...someStatus(), traffic: sampler.traffic }),
    clock,
  });
  sampler.start();
  await clock.advance(1_000);
  child.counts({ delivered: 30, failed: { timeout: 10 } });
  expect(sampler.history.total).toBe(0);
  await clock.advance(1_000);
  expect(sampler.traffic).toMatchObject({ delivered_per_second: 30, failed_per_second: 10, delivered: 30 });
  expect(sampler.errors).toMatchObject([{ reason: 'timeout', count: 10 }]);
  // a sample shows the look it belongs to
  expect(sampler.history.since(0).delivered_per_second).toEqual([30]);
  await clock.advance(4_000);
  expect(sampler.history.since(0).delivered_per_second).toEqual([30, 0, 0]);
  await sampler.stop();
  await clock.advance(10_000);
  expect(sampler.history.total).toBe(3);
});
