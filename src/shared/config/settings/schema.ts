import convict from 'convict';

import { FormatError, type Format } from '../formats/format.js';
import { quoted, type Findings, type Given, type Layer } from '../layers/layer.js';
import type { Setting } from './setting.js';
import { SETTINGS } from './settings.js';

/** Typed values by the setting's path. */
export type Values = (path: string) => unknown;

/**
 * Runs what was given through convict: defaults, formats, and the check that nothing else came in.
 *
 * convict's own coercion takes `12abc` for 12 and `0` for true, and its own reading of variables and arguments cannot
 * say where a bad value came from; so each setting brings its format, and the values come as text from our layers.
 */
export function typedValues(given: Layer, defaults: ReadonlyMap<string, string>, findings: Findings): Values {
  for (const setting of SETTINGS) convict.addFormat(convictFormat(setting));
  const schema = convict<Record<string, unknown>>(schemaTree(defaults), { env: {}, args: [] });
  for (const setting of SETTINGS) {
    const value = given.get(setting.path);
    if (value === undefined) continue;
    try {
      schema.set(setting.path, value.text);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      findings.problems.push(badValue(setting, value, error));
    }
  }
  schema.validate({ allowed: 'strict' });
  return (path) => schema.get(given.has(path) ? path : sourceOf(path));
}

function sourceOf(path: string): string {
  return SETTINGS.find((setting) => setting.path === path)?.defaultFrom ?? path;
}

function badValue(setting: Setting, given: Given, error: FormatError): string {
  const shown = setting.format.mask?.(given.text) ?? given.text;
  const fault = setting.secret === true ? 'does not fit (its value is not shown here)' : `is ${quoted(shown)}`;
  const hint = error.hint === '' ? '' : ` ${error.hint}`;
  return `${given.where} ${fault}; it must be ${setting.format.expects}.${hint}`;
}

function convictFormat(setting: Setting): convict.Format {
  const format = setting.format as Format<unknown>;
  return {
    name: formatName(setting),
    coerce: (text: string) => (text === '' ? format.empty : format.parse(text)),
    validate: (value: unknown) => {
      const text = format.print(value);
      if (text !== '') format.parse(text);
    },
  };
}

function formatName(setting: Setting): string {
  return `setting ${setting.path}`;
}

/** convict's nested form of the table. */
function schemaTree(defaults: ReadonlyMap<string, string>): convict.Schema<Record<string, unknown>> {
  const root: Record<string, unknown> = {};
  for (const setting of SETTINGS) {
    const parts = setting.path.split('.');
    const leaf = parts.pop() ?? '';
    let section = root;
    for (const part of parts) section = (section[part] ??= {}) as Record<string, unknown>;
    section[leaf] = {
      doc: setting.prose,
      format: formatName(setting),
      default: defaults.get(setting.path) ?? setting.default,
      sensitive: setting.secret === true,
    };
  }
  return root as convict.Schema<Record<string, unknown>>;
}
