import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdSet } from '../../../../../src/worker/attempt/id-set.js';

// few different ones, of which many fall into one bucket
const id = fc.oneof(fc.constantFrom('', 'a', 'b', 'ab', '😀', '\ud800'), fc.stringMatching(/^[ab]{3}x{6}$/));
const step = fc.record({ kind: fc.constantFrom('add', 'delete'), id });

test('holds what a Set would', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const ids = new IdSet();
      const known = new Set<string>();
      for (const each of steps) {
        if (each.kind === 'add') expect(ids.add(each.id)).toBe(!known.has(each.id));
        else ids.delete(each.id);
        if (each.kind === 'add') known.add(each.id);
        else known.delete(each.id);
      }
    }),
  );
});
