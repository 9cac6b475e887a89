import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

import { causeOf } from './file-error.js';
import type { Findings, Given, Layer } from './layer.js';
import { readSecretFile } from './secret-file.js';
import { secretFileEnv } from '../settings/setting.js';
import { CONFIG_FILE, SETTINGS } from '../settings/settings.js';

export type Variables = Readonly<Record<string, string | undefined>>;

/** A set of variables and how a sentence names it: "environment", ".env". */
export interface VariableSource {
  readonly label: string;
  readonly variables: Variables;
}

/**
 * Names that the Python worker's documents mention and that it never read. They stay without effect, but an operator
 * who sets one should hear which name works.
 */
const DEAD_NAMES: Readonly<Record<string, string>> = { WORKER_RETRY_INTERVAL_SECONDS: 'WORKER_RETRY_INTERVAL' };

/** The variable's text; the empty text counts as not set. */
export function variable(variables: Variables, name: string): string | undefined {
  const text = variables[name];
  return text === '' ? undefined : text;
}

export function variableLayer(source: VariableSource, cwd: string, findings: Findings): Layer {
  const layer = new Map<string, Given>();
  for (const setting of SETTINGS) {
    const direct = given(source, setting.env);
    const named = setting.secret === true ? given(source, secretFileEnv(setting)) : undefined;
    if (direct !== undefined && named !== undefined) {
      findings.problems.push(`${direct.where} and ${secretFileEnv(setting)} are both set; it must be one of them.`);
      continue;
    }
    const value = named === undefined ? direct : readSecretFile(named, cwd, findings);
    if (value !== undefined) layer.set(setting.path, value);
  }
  for (const [dead, living] of Object.entries(DEAD_NAMES)) {
    const text = given(source, dead);
    if (text !== undefined) findings.warnings.push(`${text.where} has no effect; the name is ${living}.`);
  }
  return layer;
}

function given(source: VariableSource, name: string): Given | undefined {
  const text = variable(source.variables, name);
  return text === undefined ? undefined : { text, where: `${name} (${source.label})` };
}

/** The configuration file that the variables name, or undefined. */
export function namedConfigFile(sources: readonly VariableSource[]): Given | undefined {
  return sources.map((source) => given(source, CONFIG_FILE.env)).find((name) => name !== undefined);
}

/** Reads `.env` of the working directory without touching `process.env`; undefined when there is none. */
export function readEnvFile(cwd: string, findings: Findings): { path: string; variables: Variables } | undefined {
  const path = join(cwd, '.env');
  try {
    // The byte order mark that Windows editors write would become part of the first name.
    const text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
    return { path, variables: parseEnv(text) };
  } catch (error) {
    if (causeOf(error) !== 'no such file') findings.problems.push(`.env cannot be read (${causeOf(error)}).`);
    return undefined;
  }
}
