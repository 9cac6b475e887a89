import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { choose, chooseAnywhere, chooseHere } from '../../../../supervisor/instances/choose.js';
import { findInstances } from '../../../../supervisor/instances/find.js';
import { instanceText, parseInstance, processName, stateOf } from '../../../../supervisor/instances/instance.js';
import { placesToLeave, placesToLook } from '../../../../supervisor/instances/places.js';

const isRoot = process.getuid?.() === 0;
const SOMEBODY = 12_345;

let base: string;
let folder: string;
let env: Readonly<Record<string, string>>;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'instances-'));
  env = { XDG_RUNTIME_DIR: base, HOME: join(base, 'home') };
  folder = join(base, 'message-broker-worker');
  mkdirSync(folder, { mode: 0o700 });
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function instanceOf(port: number, directory = '/srv/a') {
  const files = { config_file: null, env_file: null, socket: join(directory, 'sock') };
  return { process: processName(), port, queue: 'q', directory, ...files, version: '1' };
}

function leave(port: number, change: object = {}): string {
  const path = join(folder, `supervisor-${port}-${process.pid}.json`);
  writeFileSync(path, instanceText({ ...instanceOf(port), ...change }), { mode: 0o600 });
  return path;
}

/** Of ours alone: other supervisors may run on this host. */
function found(): { readonly ports: readonly number[]; readonly refusals: readonly string[] } {
  const { instances, refusals } = findInstances(env);
  const ours = instances.filter(({ queue }) => queue === 'q').map(({ port }) => port);
  return { ports: ours, refusals: refusals.filter((text) => text.startsWith(base)) };
}

test('those of living processes are found, and what is no such file is passed over', () => {
  leave(1);
  leave(2);
  writeFileSync(join(folder, 'supervisor-3-4.json'), '{"port": 3}', { mode: 0o600 });
  writeFileSync(join(folder, 'supervisor-9099.pid'), '1\n');
  expect(found()).toEqual({ ports: [1, 2], refusals: [] });
});

test('one whose process has ended, or whose pid another has by now, is removed; that of another host stays', () => {
  const scope = processName().slice(0, processName().indexOf(`.${process.pid}.`));
  leave(1, { process: `${scope}.${process.pid}.1` });
  leave(2, { process: `${scope}.4194303.5` });
  leave(3, { process: processName().replace(`@${hostname()}/`, '@another/') });
  leave(4, { process: processName().replace(/\/[0-9a-f]+\./, '/0123456789ab.') });
  expect(found()).toEqual({ ports: [], refusals: [] });
  expect(readdirSync(folder)).toEqual([`supervisor-3-${process.pid}.json`]);
});

describe('refused with a sentence is', () => {
  test.each([
    ['a folder that others may write', () => chmodSync(folder, 0o777), /can be written by others \(mode 777\)/],
    ['a file that others may write', (file: string) => chmodSync(file, 0o666), /can be written by others \(mode 666\)/],
    [
      'a file that is a link',
      (file: string) => {
        writeFileSync(join(base, 'elsewhere'), instanceText(instanceOf(1)));
        rmSync(file);
        symlinkSync(join(base, 'elsewhere'), file);
      },
      /is a link/,
    ],
  ])('%s', (_what, spoil, says) => {
    spoil(leave(1));
    expect(found()).toEqual({ ports: [], refusals: [expect.stringMatching(says)] });
  });

  test.runIf(isRoot)('a folder, or a file in it, of another user', () => {
    const file = leave(1);
    chownSync(file, SOMEBODY, SOMEBODY);
    expect(found()).toEqual({ ports: [], refusals: [expect.stringMatching(/belongs to uid 12345, not to root/)] });
    chownSync(folder, SOMEBODY, SOMEBODY);
    expect(found()).toEqual({ ports: [], refusals: [expect.stringMatching(/belongs to uid 12345, not to root/)] });
  });
});

test('a text that is none of ours is none', () => {
  expect(parseInstance('nothing')).toBeUndefined();
  expect(parseInstance(JSON.stringify({ ...instanceOf(1), socket: 7 }))).toBeUndefined();
  expect(parseInstance(instanceText(instanceOf(1)))).toMatchObject(instanceOf(1));
  expect(stateOf(instanceOf(1), hostname())).toBe('running');
  expect(stateOf(instanceOf(1), 'another')).toBe('elsewhere');
});

test('a user looks where his own supervisors leave their files; root also where those of others do', () => {
  const [bob] = [1001];
  const places = placesToLook(env, bob);
  expect(places.every(({ owner }) => owner === bob)).toBe(true);
  expect(places.map((place) => place.folder)).toEqual(expect.arrayContaining([...placesToLeave(env, bob)]));
  expect(places.map((place) => place.folder)).toEqual(
    expect.arrayContaining(['/run/message-broker-worker', '/run/user/1001/message-broker-worker']),
  );
  expect(placesToLook(env, 0)).toContainEqual({ folder: '/run/message-broker-worker', owner: undefined });
});

describe('which one is meant', () => {
  const [a, b] = [
    { ...instanceOf(1, '/srv/a'), owner: 0, isNear: true },
    { ...instanceOf(2, '/srv/b'), owner: 0, isNear: true },
  ];
  test.each([
    [[a], {}, { kind: 'instance', instance: a }],
    [[a, b], {}, { kind: 'several', instances: [a, b] }],
    [[a, b], { instance: '2' }, { kind: 'instance', instance: b }],
    [[a, b], { directory: 'a' }, { kind: 'instance', instance: a }],
    [[a, b], { directory: 'a', instance: '2' }, { kind: 'none' }],
    [[], {}, { kind: 'none' }],
  ] as const)('of %# ', (running, wanted, chosen) => {
    expect(choose(running, wanted, '/srv')).toEqual(chosen);
  });

  test("another user's is the only one, and none beside one of our own", () => {
    const theirs = { ...instanceOf(3, '/srv/c'), owner: 1_001, isNear: false };
    expect(chooseAnywhere([theirs], undefined)).toEqual({ kind: 'instance', instance: theirs, isOthers: true });
    expect(chooseAnywhere([theirs, a], undefined)).toEqual({ kind: 'instance', instance: a, isOthers: false });
    expect(chooseAnywhere([theirs, a], '3')).toMatchObject({ kind: 'instance', instance: theirs, isOthers: true });
    expect(chooseHere([theirs, a], undefined, '/srv/c', String)).toEqual({ kind: 'none' });
    expect(chooseHere([{ ...theirs, directory: '/srv/a' }, a], undefined, '/srv/a', String)).toMatchObject({
      instance: a,
    });
    expect(chooseAnywhere([theirs, a], '4')).toMatchObject({ kind: 'none' });
  });
});
