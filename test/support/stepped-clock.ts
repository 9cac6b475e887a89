import { systemClock, type Clock } from '../../src/shared/time/clock.js';

/** Both clocks of a host, which the test sets forward, in ms; timers and pauses take as long as they do. */
export function steppedClock(): { readonly clock: Clock; readonly stepped: { now: number; wall: number } } {
  const stepped = { now: 0, wall: 0 };
  const clock: Clock = {
    ...systemClock,
    now: () => systemClock.now() + stepped.now,
    wallNow: () => systemClock.wallNow() + stepped.wall,
  };
  return { stepped, clock };
}
