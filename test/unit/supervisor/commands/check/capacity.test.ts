import { describe, expect, test } from 'vitest';
import { parseTarget } from '../../../../../supervisor/commands/check/capacity.js';

describe('targets', () => {
  test.each([
    ['50', 50],
    ['0.5', 0.5],
    ['50/second', 50],
    ['3000/minute', 50],
    ['180000/hour', 50],
    ['86400/day', 1],
  ])('%s', (text, target) => expect(parseTarget(text)).toBe(target));

  test.each(['', '0', '-5', 'many', '5/week', '1e3', '5 / day', '50/'])('not %j', (text) =>
    expect(() => parseTarget(text)).toThrow(/--target is .* per day/),
  );
});
