import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import { SETTINGS } from '../../../src/shared/config/settings/settings.js';
import { configSchema } from '../../support/program/config-schema.js';

const FILE = join(packageRoot, 'config', 'config.schema.json');
const shipped = readFileSync(join(packageRoot, 'config', 'config.yaml'), 'utf8');
const isValid = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(JSON.parse(configSchema()) as object);

function at(path: string, value: unknown): unknown {
  return path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
}

// `npx vitest run test/unit/contract/config-schema.test.ts -u` writes the file anew
test('the file is what the settings make', async () => {
  await expect(configSchema()).toMatchFileSnapshot(FILE);
});

test('the shipped file names it in its first line, and is valid', () => {
  expect(shipped.split('\n')[0]).toBe('# yaml-language-server: $schema=config.schema.json');
  expect(isValid(parse(shipped)), JSON.stringify(isValid.errors)).toBe(true);
});

test.each([
  ['an unknown section', { rediss: {} }],
  ['an unknown key', { redis: { hots: 'localhost' } }],
  ['a port that is none', { redis: { port: 70_000 } }],
  ['a port in words', { redis: { port: 'many' } }],
  ['a word that is none of them', { logging: { level: 'LOUD' } }],
  ['an address without a scheme', { main_server: { url: 'localhost:8000' } }],
  ['a truth that is none', { main_server: { verify_ssl: 'perhaps' } }],
  ['a size without a known unit', { worker: { max_memory: '12 elephants' } }],
  ['a section in place of a value', { redis: { host: { name: 'localhost' } } }],
])('%s is refused', (_, document) => {
  expect(isValid(document)).toBe(false);
});

test.each(SETTINGS.map((setting) => [setting.path, setting] as const))(
  '%s takes what the program takes',
  (path, setting) => {
    const { format } = setting;
    const tried = [
      setting.default,
      ' 7 ',
      '7',
      '0',
      '0.5',
      '512K',
      '1gib',
      'YES',
      'off',
      'warn',
      'json',
      'a-b:1, [::1]:2',
      '/x',
      'HTTPS://h/p',
      'Ünïcode',
    ];
    const scalars = fc.oneof(fc.constantFrom(...tried), fc.integer().map(String), fc.double().map(String), fc.string());
    fc.assert(
      fc.property(scalars, (text) => {
        if (text !== '' && parses(() => format.parse(text))) {
          for (const value of [text, parse(JSON.stringify(text)), ...plain(text)]) {
            expect(isValid(at(path, value)), `${path}: ${JSON.stringify(value)}`).toBe(true);
          }
        }
      }),
    );
  },
);

function parses(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

/** What YAML makes of the text without quotes, where that is the same scalar. */
function plain(text: string): unknown[] {
  const number = Number(text);
  if (Number.isFinite(number) && String(number) === text) return [number];
  return text === 'true' || text === 'false' ? [text === 'true'] : [];
}
