/** What package.json and the README say of Node is what the packages bear. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../src/shared/config/package-root.js';

interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      { readonly dev?: true; readonly optional?: true; readonly engines?: { readonly node?: string } } | undefined
    >
  >;
}
interface Manifest {
  readonly engines: { readonly node: string };
  readonly devEngines: { readonly runtime: { readonly version: string } };
}

const read = (name: string): unknown => JSON.parse(readFileSync(join(packageRoot, name), 'utf8'));
const { engines, devEngines } = read('package.json') as Manifest;
const { allows } = (await import(pathToFileURL(join(packageRoot, 'scripts/tasks/node-version.mjs')).href)) as {
  allows(range: string, version: string): boolean;
};

/** Of the packages that come along, those that do not run on this Node. */
function refusing(version: string, isMeant: (isDev: boolean) => boolean): string[] {
  const { packages } = read('package-lock.json') as Lock;
  return Object.entries(packages).flatMap(([name, found]) => {
    const range = found?.engines?.node;
    if (name === '' || range === undefined || found?.optional || !isMeant(found?.dev === true)) return [];
    return allows(range, version) ? [] : [`${name} ${range}`];
  });
}

/** The oldest version of each part of a range. */
const oldest = (range: string) =>
  range.split('||').map((part) => {
    const numbers = part.replace(/[^\d.]/g, '').split('.');
    return [0, 1, 2].map((place) => numbers[place] ?? '0').join('.');
  });

test.each([
  ['>=20.18.1', '20.18.1', true],
  ['>=20.18.1', '20.18.0', false],
  ['^20.19.0 || ^22.13.0 || >=24', '20.18.3', false],
  ['^20.19.0 || ^22.13.0 || >=24', '20.20.2', true],
  ['^20.19.0 || ^22.13.0 || >=24', '22.12.0', false],
  ['^20.19.0 || ^22.13.0 || >=24', '23.9.0', false],
  ['^20.19.0 || ^22.13.0 || >=24', '26.0.0', true],
  ['18 || 20 || >=22', '20.1.0', true],
  ['18 || 20 || >=22', '21.0.0', false],
  ['>= 10 <12', '11.0.0', true],
  ['>= 10 <12', '12.0.0', false],
  ['~20.19.1', '20.20.0', false],
  ['6.* || *', '20.0.0', true],
])('%s allows %s: %s', (range, version, is) => {
  expect(allows(range, version)).toBe(is);
});

test('the built program runs on the oldest Node that engines names', () => {
  expect(refusing(oldest(engines.node)[0]!, (isDev) => !isDev)).toEqual([]);
});

test.each(oldest(devEngines.runtime.version))('a clone can be installed, built and tested on Node %s', (version) => {
  expect(refusing(version, () => true)).toEqual([]);
});

test('the README says both', () => {
  const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');
  expect(devEngines.runtime.version).toBe('^20.19.0 || ^22.13.0 || >=24');
  expect(readme).toContain('Node (20.19, 22.13, or 24 and newer; once built it runs on 20.18.1, too)');
});
