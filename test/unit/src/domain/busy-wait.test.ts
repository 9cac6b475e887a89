import { beforeEach, describe, expect, test } from 'vitest';
import { BusyWait, PATIENCE_MS } from '../../../../src/domain/busy-wait.js';

let wait: BusyWait;
let now: number;

beforeEach(() => {
  wait = new BusyWait();
  now = 1_000;
});

/** One wait with so many answers, half its patience apart; resolves to whether the chance was taken. */
function waitFor(answers: number): boolean {
  if (!wait.begin(now)) return false;
  for (let answer = 0; answer < answers; answer += 1) {
    now += PATIENCE_MS / 2;
    expect(wait.goesOn(now)).toBe(true);
    wait.event(now);
  }
  now += PATIENCE_MS;
  expect(wait.goesOn(now)).toBe(false);
  return true;
}

/** Chances not taken before the next wait. */
function skipped(): number {
  let count = 0;
  while (!wait.begin(now)) count += 1;
  now += PATIENCE_MS;
  wait.goesOn(now);
  return count;
}

describe('a wait', () => {
  test('goes on while answers come, and ends when none came for its patience', () => {
    wait.begin(now);
    expect(wait.goesOn(now + PATIENCE_MS * 0.9)).toBe(true);
    wait.event(now + PATIENCE_MS * 0.9);
    expect(wait.goesOn(now + PATIENCE_MS * 1.8)).toBe(true);
    expect(wait.goesOn(now + PATIENCE_MS * 2)).toBe(false);
  });

  test('that saw many answers is followed by the next', () => {
    for (let time = 0; time < 20; time += 1) expect(waitFor(50)).toBe(true);
  });

  test('that saw few is followed by ever more chances not taken, up to a limit', () => {
    expect(waitFor(2)).toBe(true);
    const gaps = Array.from({ length: 11 }, skipped);
    expect(gaps).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 512]);
  });

  test('that saw many again forgives', () => {
    waitFor(0);
    for (let chance = 0; chance < 2; chance += 1) expect(wait.begin(now)).toBe(false);
    expect(waitFor(50)).toBe(true);
    expect(waitFor(50)).toBe(true);
  });

  test('wastes no more than a tenth of its patience for each answer, where answers are slow', () => {
    let wasted = 0;
    const chances = 10_000;
    for (let chance = 0; chance < chances; chance += 1) if (waitFor(1)) wasted += PATIENCE_MS;
    expect(wasted / chances).toBeLessThan(PATIENCE_MS / 10);
  });
});
