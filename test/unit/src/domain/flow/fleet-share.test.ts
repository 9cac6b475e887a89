import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FleetSeat, type Allotment, type ShareReport } from '../../../../../src/domain/flow/fleet-share.js';
import { ScriptedShares, shareOf } from '../../../../support/redis/scripted-shares.js';

const STEP_MS = 50;
const SETTLED_AFTER_MS = 60_000;

/** A fleet in a time of its own: what its workers have in flight, and the messages between them and Redis. */
class Fleet {
  now = 0;
  most = 0;
  readonly shares = new ScriptedShares();
  readonly workers: Worker[] = [];
  #chance: number;
  #events: { readonly at: number; readonly act: () => void }[] = [];

  constructor(seed: number) {
    this.#chance = seed + 1;
  }

  /** From 0 to below `below`, by Lehmer's generator. */
  chance(below: number): number {
    this.#chance = (this.#chance * 48_271) % 2_147_483_647;
    return Math.floor((this.#chance / 2_147_483_647) * below);
  }

  later(ms: number, act: () => void): void {
    this.#events.push({ at: this.now + ms, act });
  }

  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += STEP_MS) {
      const due = this.#events.filter(({ at }) => at <= this.now);
      this.#events = this.#events.filter(({ at }) => at > this.now);
      for (const { act } of due) act();
      for (const worker of this.workers) worker.step();
      this.most = Math.max(this.most, this.inFlight);
    }
  }

  get inFlight(): number {
    return this.workers.reduce((sum, { inFlight }) => sum + inFlight.length, 0);
  }

  join(name: string, cap: number): Worker {
    const worker = new Worker(this, `${name}.${this.now}.${this.workers.length}`, cap);
    this.workers.push(worker);
    this.shares.living.add(worker.name);
    return worker;
  }
}

/** Takes as much as it may, and asks for its share over a connection that loses replies and delays requests. */
class Worker {
  readonly seat: FleetSeat;
  readonly name: string;
  readonly #fleet: Fleet;
  /** When each delivery ends. */
  inFlight: number[] = [];
  isAlive = true;
  stalledUntil = 0;
  #isLeaving = false;
  #isExchanging = false;

  constructor(fleet: Fleet, name: string, cap: number) {
    this.#fleet = fleet;
    this.name = name;
    this.seat = new FleetSeat(cap);
  }

  get isAtWork(): boolean {
    return this.isAlive && !this.#isLeaving;
  }

  step(): void {
    const { now } = this.#fleet;
    if (!this.isAlive) return;
    this.inFlight = this.inFlight.filter((end) => end > now);
    if (now < this.stalledUntil) return;
    if (!this.#isExchanging) this.#claim();
    this.#report();
    if (this.#isLeaving && this.inFlight.length === 0 && !this.#isExchanging) this.#end();
  }

  leave(): void {
    this.#isLeaving = true;
    this.seat.leave();
  }

  kill(): void {
    this.isAlive = false;
    this.inFlight = [];
    // at once by its supervisor, or when its lease has run out
    this.#fleet.later(this.#fleet.chance(2) * 14_000, () => this.#fleet.shares.living.delete(this.name));
  }

  #claim(): void {
    const taken = this.inFlight.length;
    const room = this.#isLeaving ? 0 : Math.max(0, Math.min(16, this.seat.inFlightCap!) - taken);
    this.seat.using(taken + room);
    if (room === 0) return;
    this.#isExchanging = true;
    this.#fleet.later(this.#fleet.chance(400), () => {
      this.#isExchanging = false;
      for (let claimed = this.#fleet.chance(room + 1); claimed > 0 && this.isAlive; claimed -= 1) {
        this.inFlight.push(this.#fleet.now + 50 + this.#fleet.chance(3) ** 4 * 300);
      }
    });
  }

  #report(): void {
    const report = this.seat.report(this.#fleet.now);
    if (report) this.#send(report);
  }

  #send(report: ShareReport): void {
    const isLost = this.#fleet.chance(10) === 0;
    // over a connection that is given up later, Redis may read it after the next one
    const readAfter = isLost ? this.#fleet.chance(5_000) : this.#fleet.chance(60);
    this.#fleet.later(readAfter, () => {
      const answer = this.#fleet.shares.take(this.name, report, this.#fleet.now);
      if (!isLost) this.#fleet.later(this.#fleet.chance(60), () => this.#answered(report, answer));
    });
  }

  #answered(report: ShareReport, answer: Allotment | undefined): void {
    if (this.isAlive) this.seat.allotted(report, answer);
  }

  #end(): void {
    this.isAlive = false;
    const last = this.seat.lastReport();
    if (last) this.#fleet.shares.take(this.name, last, this.#fleet.now);
    this.#fleet.later(this.#fleet.chance(2) * 14_000, () => this.#fleet.shares.living.delete(this.name));
  }
}

const incident = fc.record({
  kind: fc.constantFrom('join', 'leave', 'kill', 'stall', 'reload'),
  who: fc.nat(7),
  afterMs: fc.integer({ min: 0, max: 9_000 }),
});

function happen(fleet: Fleet, cap: number, { kind, who }: { readonly kind: string; readonly who: number }): void {
  const atWork = fleet.workers.filter((worker) => worker.isAtWork);
  const one = atWork[who % Math.max(1, atWork.length)];
  if (kind === 'join' && atWork.length < 14) fleet.join(`worker-${who}`, cap);
  if (!one) return;
  if (kind === 'leave') one.leave();
  if (kind === 'kill') one.kill();
  if (kind === 'stall') one.stalledUntil = fleet.now + 9_000;
  if (kind === 'reload') {
    one.leave();
    fleet.join(`worker-${who}`, cap);
  }
}

describe('the share of a cap', () => {
  test('the parts of all are the cap, and differ by one at most', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.integer({ min: 1, max: 600 }), (cap, members) => {
        const parts = Array.from({ length: members }, (_, rank) => shareOf(cap, rank, members));
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(cap);
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('whoever joins, leaves, hangs or dies: all together never have more in flight, and then each has its share', () => {
    const fleets = fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 8 }),
      fc.array(incident, { maxLength: 25 }),
      fc.nat(1_000_000_000),
      (cap, members, incidents, seed) => {
        const fleet = new Fleet(seed);
        for (let number = 1; number <= members; number += 1) fleet.join(`worker-${number}`, cap);
        for (const each of incidents) {
          fleet.pass(each.afterMs);
          happen(fleet, cap, each);
        }
        fleet.pass(SETTLED_AFTER_MS);
        expect(fleet.most).toBeLessThanOrEqual(cap);
        const atWork = fleet.workers.filter((worker) => worker.isAtWork).sort((a, b) => (a.name < b.name ? -1 : 1));
        const limits = atWork.map(({ seat }) => seat.inFlightCap);
        expect(limits).toEqual(atWork.map((_, rank) => shareOf(cap, rank, atWork.length)));
      },
    );
    fc.assert(fleets, { numRuns: 150 });
  });
});

test('what it keeps for PUTs grows by an allotment alone, and stays while what was begun goes on', () => {
  const seat = new FleetSeat(9);
  let now = 0;
  const allot = (limit: number): void =>
    seat.allotted(seat.report((now += 10_000))!, { limit, share: limit, members: 3 });
  expect(seat.kept).toBe(0);
  allot(3);
  seat.using(8, 4);
  expect(seat.kept).toBe(3);
  allot(1);
  expect(seat.kept).toBe(3);
  seat.using(1, 1);
  expect(seat.kept).toBe(2);
  seat.using(8, 0);
  expect(seat.kept).toBe(2);
});
