/** What this thread does to find out, in ms of the processor: some dozens of the scheduler's turns. */
const SAMPLE_MS = 60;

/**
 * Time that something takes which is promised within `ms` on cores of our own, on this machine as it is at this moment:
 * as many times `ms` as work of this thread takes the time on the clock that it takes of the processor. 1 or a little more
 * where nothing else runs; beside four busy loops on two cores about 2.5.
 */
export function crowded(ms: number): number {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  let cpuMs = 0;
  while (cpuMs < SAMPLE_MS) {
    const { user, system } = process.cpuUsage(before);
    cpuMs = (user + system) / 1_000;
  }
  return ms * Math.max(1, (performance.now() - startedAt) / cpuMs);
}
