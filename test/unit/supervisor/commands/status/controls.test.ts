import { describe, expect, test } from 'vitest';
import { keyOf, pressed, START, type Controls } from '../../../../../supervisor/commands/status/watch/controls.js';

const FREE = { isPaused: false };
const type = (typed: string, controls: Controls = START, around = FREE) => pressed(controls, keyOf(typed), around);

describe('what changes something', () => {
  test.each([
    ['p', FREE, 'pause'],
    ['p', { isPaused: true }, 'resume'],
    ['r', FREE, 'reload'],
    ['R', FREE, 'reload'],
  ])('%s asks first, and does it after a y alone', (key, around, deed) => {
    const asked = type(key, START, around);
    expect(asked).toEqual({ controls: { view: 'status', asking: deed } });
    for (const no of ['n', 'q', '\r', '\x1b', 'yy', 'yes', ' ']) {
      const { controls, effect } = type(no, asked.controls, around);
      expect(effect).toBeUndefined();
      expect(controls).toMatchObject({ view: 'status', said: { text: 'Nothing is changed.' } });
    }
    expect(type('y', asked.controls)).toEqual({ controls: { view: 'status', doing: deed }, effect: deed });
  });

  test('one at a time; the watch may be left meanwhile', () => {
    const doing: Controls = { view: 'status', doing: 'reload' };
    for (const key of ['p', 'r', 'y']) expect(type(key, doing)).toEqual({ controls: doing });
    expect(type('q', doing).effect).toBe('quit');
  });

  test('a pasted text does nothing, Ctrl-C in it ends the watch', () => {
    expect(type('py')).toEqual({ controls: START });
    expect(type('p\x03').effect).toBe('quit');
    expect(type('\x03', { view: 'status', asking: 'pause' }).effect).toBe('quit');
  });
});

test('views open by their key, and close by it or any other', () => {
  const dead = type('d');
  expect(dead).toEqual({ controls: { view: 'dead' }, effect: 'dead-letters' });
  expect(type('n', dead.controls)).toEqual({ controls: { view: 'dead' }, effect: 'next-letters' });
  expect(type('\x1b[6~', dead.controls).effect).toBe('next-letters');
  expect(type('?', dead.controls)).toEqual({ controls: { view: 'help' } });
  for (const key of ['d', '\x1b', 'x']) expect(type(key, dead.controls)).toEqual({ controls: START });
  expect(type('?', { view: 'help' })).toEqual({ controls: START });
  expect(type('\x1a').effect).toBe('suspend');
  expect(type('q').effect).toBe('quit');
});

test('what was said of a deed goes with the next key', () => {
  expect(type('x', { view: 'status', said: { text: 'Reloaded', isBad: false } })).toEqual({ controls: START });
});
