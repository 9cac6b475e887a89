/**
 * From flags, variables, .env and the configuration file to one frozen Config.
 *
 * Each layer only gathers text; precedence picks one text per setting (flag > environment > .env > file > default); the
 * schema turns it into a value. Everything wrong on the way is collected and thrown at once.
 */
import { ConfigError } from '../errors.js';
import { isConfig, type Config } from './config.js';
import { readConfigFile } from './layers/config-file.js';
import { cautions, conflicts } from './cross-checks.js';
import {
  namedConfigFile,
  readEnvFile,
  SETTING_VARIABLES,
  variable,
  variableLayer,
  type VariableSource,
} from './layers/environment.js';
import { fileLayer } from './layers/file-layer.js';
import type { Lookup } from './layers/interpolate.js';
import type { Findings, Given, Layer } from './layers/layer.js';
import { defaultRuntimeDirectory } from './runtime-directory.js';
import { typedValues, type Values } from './settings/schema.js';
import { flagFor, type Role } from './settings/setting.js';
import { CONFIG_FILE, SETTINGS } from './settings/settings.js';

export interface LoadOptions {
  /** Text by long flag without dashes (`num-workers`). */
  readonly flags: Readonly<Record<string, string>>;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** The file that `--config` names. */
  readonly argvConfig?: string | undefined;
  /** Default `supervisor`; a worker alone has no supervisor port and one metrics port. */
  readonly role?: Role;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Absolute paths of the files that were read; undefined where there was none. */
  readonly sources: { readonly configFile: string | undefined; readonly envFile: string | undefined };
  /** The variables of the environment that it was made of, secrets included: who has them and the files can load it again. */
  readonly environment: Readonly<Record<string, string>>;
  /** One sentence each, to be logged at start. */
  readonly warnings: readonly string[];
}

/** Throws ConfigError with every problem found. Relative paths in the result stay as given: relative to `cwd`. */
export function loadConfig({ flags, env, cwd, argvConfig, role = 'supervisor' }: LoadOptions): LoadedConfig {
  const findings: Findings = { problems: [], warnings: [] };
  const envFile = readEnvFile(cwd, findings);
  const variables: VariableSource[] = [
    { label: 'environment', variables: env },
    { label: '.env', variables: envFile?.variables ?? {} },
  ];
  const named = argvConfig === undefined || argvConfig === '' ? namedConfigFile(variables) : configFlag(argvConfig);
  const file = readConfigFile(named, cwd, findings);
  const asked = new Set<string>();
  const layers = [
    flagLayer(flags, role, findings),
    ...variables.map((source) => variableLayer(source, cwd, findings)),
    ...(file === undefined ? [] : [fileLayer(file, lookupIn(variables, asked), cwd, findings)]),
  ];
  const values = typedValues(merge(layers), hostDefaults(env), findings);
  const config = assemble(values);
  // Cross checks compare values; with a bad one replaced by its default they would speak of things nobody wrote.
  if (findings.problems.length === 0) findings.problems.push(...conflicts(config, role));
  if (findings.problems.length > 0) throw new ConfigError(findings.problems);
  return {
    config: deepFreeze(config),
    sources: { configFile: file?.path, envFile: envFile?.path },
    environment: Object.fromEntries([...SETTING_VARIABLES, ...asked].flatMap((name) => givenIn(env, name))),
    warnings: [...findings.warnings, ...cautions(config)],
  };
}

function configFlag(text: string): Given {
  return { text, where: `--${CONFIG_FILE.flag}` };
}

function flagLayer(flags: LoadOptions['flags'], role: Role, findings: Findings): Layer {
  const layer = new Map<string, Given>();
  for (const [flag, text] of Object.entries(flags)) {
    const setting = SETTINGS.find((candidate) => flagFor(candidate, role) === flag);
    if (setting === undefined) findings.problems.push(`--${flag} is no flag of a setting.`);
    else if (text !== '') layer.set(setting.path, { text, where: `--${flag}` });
  }
  return layer;
}

/** @param asked is told each name that the file names. */
function lookupIn(sources: readonly VariableSource[], asked: Set<string>): Lookup {
  return (name) => {
    asked.add(name);
    return sources.map((source) => variable(source.variables, name)).find((text) => text !== undefined);
  };
}

function givenIn(env: NodeJS.ProcessEnv, name: string): [name: string, text: string][] {
  const text = variable(env, name);
  return text === undefined ? [] : [[name, text]];
}

/** Earlier layers win. */
function merge(layers: readonly Layer[]): Layer {
  return new Map(layers.toReversed().flatMap((layer) => [...layer]));
}

function hostDefaults(env: NodeJS.ProcessEnv): ReadonlyMap<string, string> {
  return new Map([['supervisor.runtime_dir', defaultRuntimeDirectory(env)]]);
}

/** The table's type guarantees that every place of Config is filled with its type. */
function assemble(values: Values): Config {
  const sections: Record<string, Record<string, unknown>> = {};
  for (const setting of SETTINGS) {
    const [section, key] = setting.target.split('.') as [string, string];
    (sections[section] ??= {})[key] = values(setting.path);
  }
  if (!isConfig(sections)) throw new Error('The table of settings leaves a section of the configuration empty');
  return sections;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
