import { join } from 'node:path';
import { parseEnv } from 'node:util';

import { nearest } from '../nearest.js';
import type { Findings, Given, Layer } from './layer.js';
import { readSecretFile } from './secret-file.js';
import { NoTextError, readText, warnIfExposed } from './text-file.js';
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

/** All that are looked at. */
export const SETTING_VARIABLES: readonly string[] = [
  ...SETTINGS.flatMap((setting) => [setting.env, ...(setting.secret === true ? [secretFileEnv(setting)] : [])]),
  CONFIG_FILE.env,
];
const KNOWN_NAMES = [...SETTING_VARIABLES, ...Object.keys(DEAD_NAMES)];
/** The same `.env` serves the whole system: what is no slip of the pen is another program's. */
const SLIPS = 2;

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
  for (const name of Object.keys(source.variables)) {
    const meant = KNOWN_NAMES.includes(name) ? undefined : nearest(name, KNOWN_NAMES, SLIPS);
    if (meant === undefined || given(source, name) === undefined) continue;
    findings.warnings.push(`${name} (${source.label}) is no setting and has no effect; did you mean ${meant}?`);
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
    const variables = parseEnv(readText(path));
    const secrets = SETTINGS.filter(({ secret, env }) => secret === true && variable(variables, env) !== undefined);
    const names = secrets.map(({ env }) => env);
    warnIfExposed({ path, label: '.env' }, names, findings);
    return { path, variables };
  } catch (error) {
    if (!(error instanceof NoTextError)) throw error;
    if (!error.isMissing) findings.problems.push(`.env cannot be read (${error.message}).`);
    return undefined;
  }
}
