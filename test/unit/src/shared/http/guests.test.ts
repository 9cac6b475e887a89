import { beforeEach, describe, expect, test } from 'vitest';
import { Guests } from '../../../../../src/shared/http/guests.js';
import { VirtualClock } from '../../../../support/virtual-clock.js';

class Caller {
  isIdle = false;
  isStreaming = false;
  isCut = false;

  destroy(): void {
    this.isCut = true;
  }
}

describe('one connection too many', () => {
  let clock: VirtualClock;
  let guests: Guests;
  beforeEach(() => {
    clock = new VirtualClock();
    guests = new Guests({ perPeer: 3, inAll: 5, perSecond: 100 }, clock);
  });

  function come(state: Partial<Caller> = {}, peer = 'a'): Caller {
    const caller = Object.assign(new Caller(), state);
    expect(guests.admit(peer, caller)).toBe(true);
    return caller;
  }

  const cutOf = (callers: readonly Caller[]) => callers.map(({ isCut }) => isCut);

  test('costs the oldest of its peer', () => {
    const all = [come(), come(), come(), come()];
    expect(cutOf(all)).toEqual([true, false, false, false]);
  });

  test('costs one that idles before one that is answered', async () => {
    const all = [come(), come({ isIdle: true })];
    await clock.advance(1_000);
    all.push(come(), come());
    expect(cutOf(all)).toEqual([false, true, false, false]);
  });

  test('does not cost a probe that has only just come: its question is on its way', async () => {
    const deaf = [come(), come()];
    await clock.advance(10_000);
    const probe = come({ isIdle: true });
    deaf.push(come());
    expect(probe.isCut).toBe(false);
    expect(cutOf(deaf)).toEqual([true, false, false]);
  });

  test('beside many that ask nothing does not cost one that is answered', () => {
    const asking = come();
    const silent = [come({ isIdle: true }), come({ isIdle: true }), come({ isIdle: true })];
    expect(asking.isCut).toBe(false);
    expect(cutOf(silent)).toEqual([true, false, false]);
  });

  test('costs no stream, and is refused where all are streams', () => {
    const streams = [1, 2, 3].map(() => come({ isStreaming: true }));
    expect(guests.admit('a', new Caller())).toBe(false);
    expect(cutOf(streams)).toEqual([false, false, false]);
  });

  test('of a peer that has few costs one of the peer that has most', () => {
    const many = [come(), come(), come()];
    const few = [come({}, 'b'), come({}, 'b'), come({}, 'b')];
    expect(cutOf([...many, ...few])).toEqual([true, false, false, false, false, false]);
  });
});
