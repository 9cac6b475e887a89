import { expect, test } from 'vitest';

import { ResourceMonitor } from '../../../../supervisor/workers/resource-monitor.js';
import { VirtualClock } from '../../../support/virtual-clock.js';
import { recordedLog } from '../recorded-log.js';

const surroundings = () => ({ log: recordedLog(), clock: new VirtualClock() });

test('three samples over the limit running count; one below begins anew', async () => {
  const memory = [200, 200, 50, 200, 200, 200];
  const bloated: number[] = [];
  const monitor = new ResourceMonitor({
    ...surroundings(),
    pids: () => [7],
    limitBytes: () => 100,
    onBloated: (_pid, bytes) => bloated.push(bytes),
    sample: async () => ({ 7: { cpu: 1, memory: memory.shift() ?? 0 } }),
  });
  for (let look = 1; look <= 5; look++) await monitor.look();
  expect(bloated).toEqual([]);
  await monitor.look();
  expect(bloated).toEqual([200]);
});

test('a process that died between two looks is forgotten, a sampler that fails is survived', async () => {
  const answers: Record<number, { cpu: number; memory: number } | undefined>[] = [
    { 7: { cpu: 5, memory: 9 } },
    { 7: undefined },
  ];
  const monitor = new ResourceMonitor({
    ...surroundings(),
    pids: () => [7],
    limitBytes: () => 0,
    onBloated: () => expect.unreachable(),
    sample: async () => answers.shift() ?? Promise.reject(new Error('no /proc')),
  });
  await monitor.look();
  expect(monitor.usage(7)).toMatchObject({ cpuPercent: 5, memoryBytes: 9 });
  await monitor.look();
  expect(monitor.usage(7)).toBeUndefined();
  await monitor.look();
});

test('the system is asked for real', async () => {
  const monitor = new ResourceMonitor({
    ...surroundings(),
    pids: () => [process.pid],
    limitBytes: () => 0,
    onBloated: () => undefined,
  });
  await monitor.look();
  expect(monitor.usage(process.pid)?.memoryBytes).toBeGreaterThan(1_000_000);
});
