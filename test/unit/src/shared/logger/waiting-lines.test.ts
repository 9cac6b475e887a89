import { describe, expect, test } from 'vitest';
import { MOST_WAITING_BYTES, WaitingLines } from '../../../../../src/shared/logger/waiting-lines.js';

const batch = (text: string) => ({ text, lines: text.split('\n').length });

describe('waiting lines', () => {
  test('are gathered to writes, one at a time, in order', () => {
    const lines = new WaitingLines();
    for (const text of ['a', 'b\nc', 'd'.repeat(70_000), 'e']) expect(lines.append(batch(text))).toBe(true);
    expect(lines.next()).toBe('a\nb\nc');
    expect(lines.next()).toBeUndefined();
    expect(lines.progress(5)).toBe(false);
    expect(lines.progress(1)).toBe(true);
    expect(lines.next()).toHaveLength(70_000);
    expect(lines.progress(70_001)).toBe(true);
    expect(lines.next()).toBe('e');
    expect(lines.isEmpty).toBe(false);
    expect(lines.progress(2)).toBe(true);
    expect(lines.isEmpty).toBe(true);
  });

  test.each([
    [0, 'aa\nbb\ncc'],
    [2, '\naa\nbb\ncc'],
    [3, 'bb\ncc'],
    [4, '\nbb\ncc'],
    [6, 'cc'],
    [7, '\ncc'],
  ])('of which %i bytes got to a full disk go on with the line that was cut', (written, rest) => {
    const lines = new WaitingLines();
    lines.append(batch('aa\nbb\ncc'));
    lines.next();
    lines.progress(written);
    lines.append(batch('later'));
    lines.putBack();
    expect(lines.next()).toBe(rest);
    lines.progress(Buffer.byteLength(rest) + 1);
    expect(lines.next()).toBe('later');
  });

  test('take no more than 16 MiB, with what is being written, and room comes free as it gets to the disk', () => {
    const lines = new WaitingLines();
    const half = 'x'.repeat(MOST_WAITING_BYTES / 2 - 1);
    expect(lines.append(batch(half))).toBe(true);
    lines.next();
    expect(lines.append(batch(half))).toBe(true);
    expect(lines.append(batch(''))).toBe(false);
    lines.progress(MOST_WAITING_BYTES / 2);
    expect(lines.append(batch('y'))).toBe(true);
    expect(lines.take().map(({ text }) => text.length)).toEqual([half.length, 1]);
    expect(lines.append(batch(half))).toBe(true);
    expect(lines.append(batch(half))).toBe(true);
  });
});
