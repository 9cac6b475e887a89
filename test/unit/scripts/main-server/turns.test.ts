import { beforeEach, describe, expect, test } from 'vitest';
import { Turns } from '../../../../scripts/main-server/turns.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

let clock: VirtualClock;
let limits: { poolSize: number; freezeMs: number };
let turns: Turns;
/** What became of each request, and when. */
let served: (readonly [name: string, atMs: number, connected: boolean])[];

beforeEach(() => {
  clock = new VirtualClock();
  limits = { poolSize: 0, freezeMs: 30_000 };
  turns = new Turns({ clock, limits, onFreeze: () => undefined });
  served = [];
});

function arrive(name: string, ms: number): void {
  turns.arrive(ms, (visit, connected) => {
    visit.leave();
    served.push([name, clock.now(), connected]);
  });
}

describe('the turns of a serial server', () => {
  test('one request after the other, and idle time is not saved up', async () => {
    for (const name of ['a', 'b', 'c']) arrive(name, 6);
    expect(turns).toMatchObject({ inFlight: 3, most: 3 });
    await clock.advance(25);
    arrive('d', 6);
    await clock.advance(10);
    expect(served.map(([, atMs]) => atMs)).toEqual([6, 12, 18, 31]);
    expect(turns).toMatchObject({ inFlight: 0, most: 3, frozen: 0 });
  });

  test('a timer that is late makes the next one earlier', async () => {
    for (const name of ['a', 'b', 'c']) arrive(name, 6);
    clock.stall(10);
    await clock.advance(8);
    expect(served.map(([, atMs]) => atMs)).toEqual([10, 12, 18]);
  });

  test('without work nothing waits', () => {
    for (const name of ['a', 'b']) arrive(name, 0);
    expect(served).toEqual([
      ['a', 0, true],
      ['b', 0, true],
    ]);
  });
});

describe('a pool that freezes', () => {
  test('the request beyond it holds up everything for 30 s, and each further one again', async () => {
    limits.poolSize = 3;
    for (const name of ['a', 'b', 'c', 'd', 'e']) arrive(name, 6);
    expect(turns).toMatchObject({ inFlight: 5, frozen: 2 });
    await clock.advance(60_030);
    expect(served).toEqual([
      ['a', 6, true], // was under way
      ['d', 30_006, false],
      ['e', 60_006, false],
      ['b', 60_012, true],
      ['c', 60_018, true],
    ]);
  });

  test('within it nothing freezes, and who found no connection holds none', async () => {
    limits.poolSize = 2;
    for (const name of ['a', 'b', 'c']) arrive(name, 6);
    await clock.advance(7);
    arrive('d', 6); // a has left; b holds a connection, c waits for one in vain
    await clock.advance(30_100);
    expect(served.map(([name, , connected]) => [name, connected])).toEqual([
      ['a', true],
      ['c', false],
      ['b', true],
      ['d', true],
    ]);
    expect(turns.frozen).toBe(1);
  });

  test('what is ready only to be answered waits, too', async () => {
    limits.poolSize = 1;
    turns.arrive(0, () => undefined);
    turns.arrive(0, (visit) => visit.leave());
    let answeredAt = NaN;
    clock.after(100, () => turns.whenFree(() => (answeredAt = clock.now())));
    await clock.advance(40_000);
    expect(answeredAt).toBe(30_000);
  });

  test('cleared, it knows nobody, and late goodbyes change nothing', () => {
    limits.poolSize = 1;
    let leave = (): void => undefined;
    turns.arrive(0, (visit) => (leave = () => visit.leave()));
    arrive('b', 6);
    turns.clear();
    leave();
    expect(turns).toMatchObject({ inFlight: 0, most: 0, frozen: 0 });
    expect(clock.pending).toBe(0);
    arrive('c', 0);
    expect(served).toEqual([['c', 0, true]]);
  });

  test('ended, it knows nobody, and what was counted can still be read', () => {
    limits.poolSize = 1;
    arrive('a', 6);
    arrive('b', 6);
    turns.end();
    expect(turns).toMatchObject({ inFlight: 0, most: 2, frozen: 1 });
    expect(clock.pending).toBe(0);
  });
});
