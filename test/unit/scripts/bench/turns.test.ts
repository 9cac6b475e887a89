import { describe, expect, test } from 'vitest';
import { turnsOf } from '../../../../scripts/bench/measure/throughput.js';

describe('the turns of a round', () => {
  const contenders = ['new', 'old', 'BullMQ', 'bare loop'];
  const rounds = Array.from({ length: 8 }, (_, round) => turnsOf(contenders, round));

  test('each contender has one in each round', () => {
    for (const turns of rounds) expect([...turns].sort()).toEqual([...contenders].sort());
  });

  test('of the two that are compared, each comes first in every second round', () => {
    const first = rounds.map((turns) => (turns.indexOf('new') < turns.indexOf('old') ? 'new' : 'old'));
    expect(first.filter((name) => name === 'new')).toHaveLength(4);
  });

  test('what comes before the one comes before the other as often', () => {
    const before = (name: string, rival: string) =>
      rounds
        .map((turns) => turns[turns.indexOf(name) - 1])
        .map((one) => (one === rival ? 'its rival' : (one ?? 'nobody')));
    expect(before('new', 'old').sort()).toEqual(before('old', 'new').sort());
  });

  test('two swap places', () => {
    expect([0, 1, 2, 3].map((round) => turnsOf(['new', 'old'], round)[0])).toEqual(['new', 'old', 'old', 'new']);
  });
});
