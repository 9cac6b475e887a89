/** The table of guards in test/faults/README.md names files and what stands in them: a guard that moved is found again. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import { document } from './markdown.js';

const SOURCE = /^[\w-]+\.(ts|lua)$/;

const sources = ['src', 'supervisor'].flatMap((folder) =>
  readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => SOURCE.test(basename(name)))
    .map((name) => ({ name: basename(name), text: readFileSync(join(packageRoot, folder, name), 'utf8') })),
);

/** Cells of the second column that name a file. */
const guards = document('test/faults/README.md')
  .text.split('\n')
  .map((line) => line.split(' | ')[1] ?? '')
  .filter((cell) => /`[\w-]+\.(ts|lua)`/.test(cell));

test('there are guards', () => expect(guards.length).toBeGreaterThan(50));

test.each(guards)('%s', (guard) => {
  const named = [...guard.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
  const files = named.filter((text) => SOURCE.test(text));
  const there = sources.filter(({ name }) => files.includes(name));
  expect(new Set(there.map(({ name }) => name))).toEqual(new Set(files));
  const words = named.filter((text) => /^#?[a-z_]\w+(\(\))?$/i.test(text)).map((text) => text.replace('()', ''));
  for (const word of words) expect(there.map(({ text }) => text).join('\n')).toContain(word);
});
