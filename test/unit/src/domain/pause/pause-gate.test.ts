import { expect, test } from 'vitest';
import { PauseGate } from '../../../../../src/domain/pause/pause-gate.js';

const at = (now: number, wallNow = now) => ({ now, wallNow });

test('a look shuts it, and only a look opens it', () => {
  const gate = new PauseGate();
  expect(gate.isOpen).toBe(true);
  gate.found(true, { doubts: gate.doubts, now: 1 });
  expect(gate).toMatchObject({ isOpen: false, isShut: true });
  gate.sawNone(2);
  expect(gate.isShut).toBe(true);
  gate.found(false, { doubts: gate.doubts, now: 3 });
  expect(gate.isOpen).toBe(true);
});

test.each([
  ['a process', at(1_001, 1_001)],
  ['a host, whose monotonic clock stands still', at(0, 1_001)],
])('who stood still for over 1 s is in doubt until a look that began since then: %s', (_, later) => {
  const gate = new PauseGate();
  gate.awake(at(0));
  const { doubts } = gate;
  gate.awake(later);
  expect(gate).toMatchObject({ isOpen: false, isShut: false });
  gate.found(false, { doubts, now: 2_000 });
  gate.sawNone(2_000);
  expect(gate.isOpen).toBe(false);
  gate.found(false, { doubts: gate.doubts, now: 2_100 });
  expect(gate.isOpen).toBe(true);
});

test('a second is no stall, nor is a clock that was set back', () => {
  const gate = new PauseGate();
  gate.awake(at(0, 50_000));
  gate.awake(at(1_000, 1_000));
  expect(gate.isOpen).toBe(true);
});

test('a pause that ends while it is in doubt leaves the doubt', () => {
  const gate = new PauseGate();
  gate.found(true, { doubts: gate.doubts, now: 0 });
  const { doubts } = gate;
  gate.doubt();
  gate.found(false, { doubts, now: 1 });
  expect(gate).toMatchObject({ isOpen: false, isShut: false });
  gate.found(false, { doubts: gate.doubts, now: 2 });
  expect(gate.isOpen).toBe(true);
});

test('a look counts for a second, one in passing as well', () => {
  const gate = new PauseGate();
  expect(gate.hasLooked(0)).toBe(false);
  gate.found(false, { doubts: gate.doubts, now: 0 });
  expect(gate.hasLooked(1_000)).toBe(true);
  expect(gate.hasLooked(1_001)).toBe(false);
  gate.sawNone(1_500);
  expect(gate.hasLooked(2_500)).toBe(true);
});
