/**
 * Milliseconds on a clock that all processes of the machine share: hrtime counts from the machine's start on Linux, macOS
 * and Windows. performance.now() counts from the start of its process, which is known only on the wall clock.
 */
export function sharedClockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
