import { describe, expect, test } from 'vitest';
import { readiness, type ReadinessFacts } from '../../../../src/worker/readiness.js';

const well: ReadinessFacts = {
  now: 100_000,
  activatedAt: 0,
  consumedAt: 99_000,
  draining: false,
  redisProblem: undefined,
  breaker: { state: 'closed', lastReason: undefined },
  lastPausedAt: undefined,
  routeProblem: undefined,
  hold: undefined,
  slotsFull: false,
  metricsPortTaken: undefined,
};

describe('readiness', () => {
  test.each<[string, Partial<ReadinessFacts>, string, boolean, RegExp | undefined]>([
    ['consumed a second ago', {}, 'ready', true, undefined],
    ['consumed just within 15 s', { consumedAt: 85_000 }, 'ready', true, undefined],
    ['nothing for more than 15 s', { consumedAt: 84_999 }, 'degraded', false, /nothing was claimed/],
    ['all slots wait', { consumedAt: 84_000, slotsFull: true }, 'degraded', false, /all slots wait/],
    ['just activated', { consumedAt: undefined, activatedAt: 99_900 }, 'starting', false, undefined],
    ['activated long ago, never consumed', { consumedAt: undefined }, 'degraded', false, /nothing was claimed/],
    [
      'Redis away',
      { redisProblem: 'Cannot connect to Redis at h:1: refused' },
      'degraded',
      false,
      /Cannot connect to Redis/,
    ],
    ['breaker open', { breaker: { state: 'open', lastReason: 'timeout' } }, 'degraded', false, /main server.*timeout/],
    ['breaker half-open', { breaker: { state: 'half-open', lastReason: 'tls' } }, 'degraded', false, /main server/],
    ['no route, delivering in vain', { routeProblem: 'no route' }, 'degraded', true, /no route/],
    ['metrics port taken, delivering', { metricsPortTaken: 9100 }, 'degraded', true, /metrics port 9100 is taken/],
    ['held from the start', { consumedAt: undefined, hold: 'fleet cap: full' }, 'ready', true, /^fleet cap: full$/],
    ['held for long', { consumedAt: 1, hold: 'fleet cap: full' }, 'ready', true, /^fleet cap: full$/],
    [
      'held, and something is wrong',
      { consumedAt: 1, hold: 'fleet cap', redisProblem: 'no Redis' },
      'degraded',
      false,
      /^no Redis$/,
    ],
    ['a pause has just ended', { lastPausedAt: 99_000, consumedAt: 1 }, 'ready', true, undefined],
    ['a pause ended long ago', { lastPausedAt: 84_999, consumedAt: 1 }, 'degraded', false, /nothing was claimed/],
    ['draining', { draining: true }, 'draining', false, undefined],
  ])('%s', (_, facts, state, consuming, reason) => {
    const shown = readiness({ ...well, ...facts });
    expect(shown).toMatchObject({ state, consuming });
    if (reason) expect(shown.reasons.join('; ')).toMatch(reason);
    else expect(shown.reasons).toEqual([]);
    expect(shown.causes.length).toBe(shown.reasons.length);
  });

  test('each reason has its cause, and a server that answers is not out of reach', () => {
    const shown = readiness({
      ...well,
      redisProblem: 'no Redis',
      breaker: { state: 'open', lastReason: 'http_503' },
      metricsPortTaken: 9100,
    });
    expect(shown.causes).toEqual(['redis', 'main_server', 'port']);
    expect(shown.reasons[1]).toBe('the main server answers 503 and is given a rest; claiming is paused');
  });
});
