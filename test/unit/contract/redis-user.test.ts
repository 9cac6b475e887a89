import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import { document } from './markdown.js';

/** A command that the documented user of Redis may not run fails half-way, at the operator's. */
function sources(folder: string): string[] {
  return readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|lua)$/.test(name))
    .map((name) => readFileSync(join(packageRoot, folder, name), 'utf8'));
}

/** `redis.call('X'`, `.call('X'`, `.block('X'`, `.callPermitted(…, 'X'` and `.ask('X'`. */
const RUN = /(?:\bp?call|\bblock|\bask)\('([A-Z]+)'|\bcallPermitted\([^,()]+, '([A-Z]+)'/g;
/** What ioredis sends of its own accord. */
const OF_THE_CLIENT = ['auth', 'client', 'info', 'ping', 'quit', 'select', 'hello'];

function commandsIn(text: string): string[] {
  return [...text.matchAll(RUN)].map(([, first, second]) => (first ?? second ?? '').toLowerCase());
}

test('the user of Redis in ecosystem.md may run each command of each script and part', () => {
  const line = document('ecosystem.md')
    .fenced('text')
    .find((text) => text.startsWith('ACL SETUSER mbw'));
  const permitted = new Set([...(line ?? '').matchAll(/\+(\w+)/g)].map(([, command]) => command!));
  const run = new Set([...sources('src/queue'), ...sources('supervisor')].flatMap(commandsIn));
  expect(run.size).toBeGreaterThan(25);
  const needed = [...run, ...OF_THE_CLIENT].filter((command) => !permitted.has(command));
  expect(needed).toEqual([]);
});

test('"check" tries each command that a script may run', () => {
  const source = readFileSync(join(packageRoot, 'src/queue/connection/permissions.ts'), 'utf8');
  const tried = [...source.matchAll(/'([A-Z]+)(?: [^']*)?'/g)].map(([, command]) => command!.toLowerCase());
  const run = new Set(sources('src/queue/lua').flatMap(commandsIn));
  expect(run.size).toBeGreaterThan(25);
  expect([...run].filter((command) => !tried.includes(command))).toEqual([]);
});
