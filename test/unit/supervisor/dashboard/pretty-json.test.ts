import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prettyJson } from '../../../../supervisor/dashboard/page/messages/pretty-json.js';

test('it is indented as JSON.stringify indents, whatever is in it', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      expect(prettyJson(json)).toBe(JSON.stringify(JSON.parse(json), undefined, 2));
    }),
  );
});

test.each([
  ['12345678901234567890', 'a number that has no place in a double'],
  ['1.0', 'a number that would be written in another way'],
  ['"\\u0041\\"{,}\\\\"', 'escapes, and brackets in a text'],
])('%s stays as it was sent: %s', (text) => {
  expect(prettyJson(`{"a":${text},"a":${text}}`)).toBe(`{\n  "a": ${text},\n  "a": ${text}\n}`);
});

test('what is no JSON is left alone', () => {
  expect(prettyJson('{"a":')).toBeUndefined();
  expect(prettyJson('')).toBeUndefined();
});

test('depth costs no stack, and no more than 80 blanks a line', () => {
  const depth = 3_000;
  const pretty = prettyJson('['.repeat(depth) + ']'.repeat(depth));
  expect(pretty?.length).toBeLessThan(2 * depth * 82);
});
