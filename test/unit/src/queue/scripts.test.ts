import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../../../src/shared/config/package-root.js';

/** A script's header is its signature: Lua has no other. */
const folder = join(packageRoot, 'src/queue/lua');
const scripts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.lua') && !name.startsWith('parts'))
  .map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const);

test('there are scripts', () => expect(scripts.length).toBeGreaterThan(10));

describe.each(scripts)('%s', (_, text) => {
  const header = /^(?:--.*\n)+/.exec(text)?.[0] ?? '';
  const code = text.slice(header.length);

  test('begins with what it does, its KEYS, its ARGV and what it returns', () => {
    expect(header).toMatch(
      /^-- [A-Z][^\n]*\n(?:-- [^\n]*\n)*--\n-- KEYS 1(?: |\.\.\. )[\s\S]*\n-- ARGV [\s\S]*\n-- Returns /,
    );
  });

  test('uses as many keys as it names', () => {
    const named = [.../^-- KEYS ([\s\S]*?)\n-- ARGV /m.exec(header)![1]!.matchAll(/(?:^| {2})(\d+) /g)].map(
      ([, number]) => number,
    );
    const unpacked = /^local ([\w, ]+) = unpack\(KEYS\)/m.exec(code)?.[1]?.split(', ').length ?? 0;
    const indexed = [...code.matchAll(/KEYS\[(\d)\]/g)].map(([, number]) => Number(number));
    expect(Math.max(unpacked, ...indexed)).toBe(named.length);
  });

  test('touches no key but those it was given', () => {
    const given = new Set<string>();
    const declared = [...code.matchAll(/^local ([\w, ]+) = (?:unpack\(KEYS\)|KEYS\[\d\])/gm)];
    for (const [, names] of declared) for (const name of names!.split(', ')) given.add(name);
    // each of those that a script may have any number of
    for (const [, name] of code.matchAll(/^for \w+, (\w+) in ipairs\(KEYS\)/gm)) given.add(name!);
    for (const [, name, key] of code.matchAll(/^local function (\w+)\((\w+)/gm)) {
      const calls = [...code.matchAll(new RegExp(`^(?!local function).*\\b${name!}\\((\\w+)`, 'gm'))];
      if (calls.length > 0 && calls.every(([, handed]) => given.has(handed!))) given.add(key!);
    }
    const used = [...code.matchAll(/redis\.p?call\('(\w+)'(?:, 'USAGE')?(?:, ([^,)]+))?/g)];
    const undeclared = used.filter(
      ([, command, key]) => !['TIME', 'SCAN'].includes(command!) && !given.has(key ?? '') && !key?.startsWith('KEYS['),
    );
    expect(undeclared.map(([text]) => text)).toEqual([]);
  });
});
