import { afterEach, describe, expect, test } from 'vitest';
import type { Beat, ToPrimary } from '../../../../src/shared/ipc.js';
import type { Counts } from '../../../../src/shared/metrics/counts.js';
import { Heartbeat } from '../../../../src/worker/heartbeat.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

const STARTING: Beat = {
  state: 'starting',
  reasons: [],
  causes: [],
  consuming: false,
  inFlight: 0,
  eventLoopLagSeconds: 0,
  redisUp: true,
  breaker: 'closed',
  certificates: [],
  troubles: [],
};
const COUNTS: Counts = { metrics: [], failures: [] };

const open: Heartbeat[] = [];
afterEach(() => Promise.all(open.splice(0).map((heartbeat) => heartbeat.stop())));

/** Its loop turns every 5 ms. */
function stage() {
  const clock = new VirtualClock();
  const said: { -readonly [Field in keyof Beat]?: Beat[Field] } = {};
  const told: ToPrimary[] = [];
  const heartbeat = new Heartbeat({
    worker: {
      beat: (eventLoopLagSeconds) => ({ ...STARTING, ...said, eventLoopLagSeconds }),
      counts: () => Promise.resolve(COUNTS),
    },
    tell: async (message) => void told.push(message),
    clock,
  });
  open.push(heartbeat);
  heartbeat.start();
  const takeTold = (type: ToPrimary['type']) => told.splice(0).filter((message) => message.type === type);
  return {
    heartbeat,
    said,
    takeTold,
    async turnFor(ms: number): Promise<void> {
      for (let turn = 0; turn < ms / 5; turn += 1) {
        heartbeat.turn();
        clock.pass(5);
      }
      await clock.settle();
    },
  };
}

describe('beats', () => {
  test('come at every turn until it has claimed, then every 25 ms until it is ready, then every second', async () => {
    const { said, takeTold, turnFor } = stage();
    await turnFor(100);
    expect(takeTold('beat')).toHaveLength(20);
    Object.assign(said, { state: 'degraded', reasons: ['metrics port 9100 is taken'], consuming: true });
    await turnFor(500);
    expect(takeTold('beat')).toHaveLength(20);
    said.consuming = false;
    await turnFor(500);
    expect(takeTold('beat')).toHaveLength(20);
    said.state = 'ready';
    await turnFor(10_000);
    expect(takeTold('beat')).toHaveLength(10);
    said.state = 'draining';
    await turnFor(10_000);
    expect(takeTold('beat').length).toBeGreaterThanOrEqual(10);
  });

  test('say what the worker says, and how far the event loop lags', async () => {
    const { said, takeTold, turnFor } = stage();
    Object.assign(said, { state: 'ready', consuming: true, inFlight: 3 });
    await turnFor(5);
    const [beat] = takeTold('beat');
    expect(beat).toMatchObject({ beat: { ...STARTING, ...said, eventLoopLagSeconds: expect.any(Number) as number } });
  });

  test('end with it', async () => {
    const { heartbeat, takeTold, turnFor } = stage();
    await heartbeat.stop();
    takeTold('beat');
    await turnFor(5_000);
    expect(takeTold('beat')).toEqual([]);
  });
});

describe('counts', () => {
  test('are told with a beat, once a second', async () => {
    const { said, takeTold, turnFor } = stage();
    said.state = 'ready';
    await turnFor(5_000);
    expect(takeTold('counts')).toEqual(Array.from({ length: 5 }, () => ({ type: 'counts', counts: COUNTS })));
  });

  test('are told at the end, once', async () => {
    const { heartbeat, takeTold } = stage();
    await Promise.all([heartbeat.stop(), heartbeat.stop()]);
    expect(takeTold('counts')).toEqual([{ type: 'counts', counts: COUNTS }]);
  });
});
