/** The climb at a model of the real main server: it must never hurt it. */
import { setMaxListeners } from 'node:events';
import { beforeEach, describe, expect, test } from 'vitest';
import { LIKE_ORIGINAL } from '../../../../scripts/main-server/faults.js';
import { Turns } from '../../../../scripts/main-server/turns.js';
import type { Reply } from '../../../../src/delivery/request-probe.js';
import { harmless, withinCap } from '../../../../supervisor/capacity/limits.js';
import { loadMainServer, type Load } from '../../../../supervisor/capacity/main-server-load.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

let clock: VirtualClock;
let server: ModelServer;

beforeEach(() => {
  clock = new VirtualClock();
  server = new ModelServer(clock);
});

/** A main server whose requests take `serialMs` one after the other and then `delayMs` beside each other. */
class ModelServer {
  readonly #clock: VirtualClock;
  readonly limits = { poolSize: LIKE_ORIGINAL.poolSize as number, freezeMs: 30_000 };
  readonly turns: Turns;
  serialMs = 0;
  delayMs = 0;
  /** From this request on none is answered. */
  hangsFrom = Infinity;
  sent = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    this.turns = new Turns({ clock, limits: this.limits, onFreeze: () => undefined });
  }

  get(signal: AbortSignal): Promise<Reply> {
    if (signal.aborted) return Promise.resolve({ kind: 'aborted' });
    const startMs = this.#clock.now();
    this.sent += 1;
    const hangs = this.sent >= this.hangsFrom;
    return new Promise((resolve) => {
      setMaxListeners(0, signal);
      signal.addEventListener('abort', () => resolve({ kind: 'aborted' }));
      this.turns.arrive(this.serialMs, (visit, connected) => {
        if (hangs) return;
        this.#clock.after(this.delayMs, () => {
          visit.leave();
          resolve({ kind: 'answer', status: connected ? 200 : 500, ms: this.#clock.now() - startMs });
        });
      });
    });
  }
}

async function climb({ mostParallel = harmless(0), configured = 12, ms = 8_000 } = {}): Promise<Load> {
  const load = loadMainServer({ probe: server, clock, ms, mostParallel, configured, onProgress: () => undefined });
  await clock.advance(120_000);
  const found = await load;
  if (typeof found === 'string') throw new Error(found);
  return found;
}

const triedBy = ({ levels }: Load) => levels.map(({ parallel }) => parallel);

describe('a main server that freezes beyond 30 in flight', () => {
  test('serial: the climb stops at the first level whose requests wait for each other', async () => {
    server.serialMs = 6;
    const load = await climb({ configured: 48 });
    expect(triedBy(load)).toEqual([1, 2, 4]);
    expect(load.slowness).toBeCloseTo(4, 1);
    expect(load.problem).toBeUndefined();
    expect(server.turns).toMatchObject({ most: 4, frozen: 0 });
  });

  test('one that answers the faster the more are asked: 16 at once, and no more unasked', async () => {
    server.delayMs = 20;
    const load = await climb({ configured: 48 });
    expect(triedBy(load)).toEqual([1, 2, 4, 8, 16]);
    expect(load).toMatchObject({ slowness: undefined, problem: undefined });
    expect(server.turns).toMatchObject({ most: 16, frozen: 0 });
  });

  test('asked to, it goes as far as it is told, the configured settings among the levels', async () => {
    server.delayMs = 20;
    expect(triedBy(await climb({ mostParallel: 24, configured: 12 }))).toEqual([1, 2, 4, 8, 12, 16, 24]);
    expect(server.turns).toMatchObject({ most: 24, frozen: 0 });
  });

  test('frozen by others, it is a problem within 5 s, and nothing more is sent', async () => {
    server.delayMs = 20;
    server.hangsFrom = 300;
    const load = await climb();
    expect(load.problem).toMatch(/^no answer within 5 s with \d+ at once$/);
    const { sent } = server;
    expect(sent).toBeLessThanOrEqual(300 + 16);
    await clock.advance(60_000);
    expect(server.sent).toBe(sent);
  });

  test('what is under way when the time is over is waited for, and is no problem', async () => {
    server.delayMs = 900;
    const load = await climb({ ms: 2_000 });
    expect(load.problem).toBeUndefined();
    expect(server.turns.inFlight).toBe(0);
  });
});

test.each([
  [0, 16],
  [8, 16],
  [12, 14],
  [20, 6],
  [28, 1],
  [48, 1],
])('beside workers with %i in flight %i more hurt nobody', (inFlight, atOnce) => {
  expect(harmless(inFlight)).toBe(atOnce);
});

test.each([
  [16, 0, 48, 16],
  [16, 10, 0, 10],
  [64, 10, 4, 6],
  [16, 10, 48, 1],
])('of %i at once a cap of %i leaves beside %i in flight %i', (wanted, cap, inFlight, atOnce) => {
  expect(withinCap(wanted, cap, inFlight)).toBe(atOnce);
});
