import { basename, dirname } from 'node:path';

import type { ConfigFile } from './config-file.js';
import { interpolate, type Lookup } from './interpolate.js';
import { quoted, type Findings, type Given, type Layer } from './layer.js';
import { nearest } from '../nearest.js';
import { readSecretFile } from './secret-file.js';
import { warnIfExposed } from './text-file.js';
import { LOG_FILE, WITHOUT_MEANING } from '../settings/python-keys.js';
import { secretFilePath, type Setting } from '../settings/setting.js';
import { SETTINGS } from '../settings/settings.js';
import { yamlEntries, type FileEntry } from './yaml-entries.js';

/** `logging.format` chooses text or json here; the Python worker's holds a pattern such as `%(asctime)s - %(message)s`. */
const PYTHON_LOG_PATTERN = /%\(\w+\)/;

const SETTING_AT: ReadonlyMap<string, Setting> = new Map(SETTINGS.map((setting) => [setting.path, setting]));
const SECRET_FILE_AT: ReadonlyMap<string, Setting> = new Map(
  SETTINGS.filter((setting) => setting.secret === true).map((setting) => [secretFilePath(setting), setting]),
);
const DOCUMENTED_PATHS = [...SETTING_AT.keys(), ...SECRET_FILE_AT.keys(), LOG_FILE];
const SECTIONS: ReadonlySet<string> = new Set(
  [...DOCUMENTED_PATHS, ...Object.keys(WITHOUT_MEANING)].flatMap((path) => {
    const parts = path.split('.');
    return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('.'));
  }),
);

interface FileReading {
  readonly file: ConfigFile;
  readonly lookup: Lookup;
  readonly cwd: string;
  readonly findings: Findings;
  readonly layer: Map<string, Given>;
  readonly withoutMeaning: string[];
  /** Keys whose secret stands in the file itself. */
  readonly secrets: string[];
}

/** What the configuration file gives. `lookup` answers for `${VAR}`. */
export function fileLayer(file: ConfigFile, lookup: Lookup, cwd: string, findings: Findings): Layer {
  const reading: FileReading = { file, lookup, cwd, findings, layer: new Map(), withoutMeaning: [], secrets: [] };
  for (const entry of yamlEntries(file, (path) => SECTIONS.has(path), findings)) readEntry(reading, entry);
  warnIfExposed(file, reading.secrets, findings);
  if (reading.withoutMeaning.length > 0) {
    const keys = reading.withoutMeaning.join(', ');
    findings.warnings.push(`${file.label} has keys without meaning here, which are ignored: ${keys}.`);
  }
  return reading.layer;
}

function readEntry(reading: FileReading, entry: FileEntry): void {
  const { path } = entry;
  const setting = SETTING_AT.get(path);
  const secret = SECRET_FILE_AT.get(path);
  const asksForMore = Object.hasOwn(WITHOUT_MEANING, path) ? WITHOUT_MEANING[path] : undefined;
  if (setting === undefined && secret === undefined && asksForMore === undefined && path !== LOG_FILE) {
    reportUnknown(reading, entry);
    return;
  }
  const given = givenBy(reading, entry, setting);
  if (given === undefined) return;
  if (setting?.secret === true && entry.value === given.text) reading.secrets.push(path);
  if (asksForMore?.(given.text) === true) reading.withoutMeaning.push(path);
  else if (path === 'logging.format' && PYTHON_LOG_PATTERN.test(given.text)) reading.withoutMeaning.push(path);
  else if (path === LOG_FILE) readLogFile(reading, given);
  else if (secret !== undefined) put(reading, secret.path, readSecretFile(given, reading.cwd, reading.findings));
  else if (setting !== undefined) put(reading, path, given);
}

/** The entry's text with its variables filled in; undefined when it gives nothing. */
function givenBy(reading: FileReading, entry: FileEntry, setting: Setting | undefined): Given | undefined {
  const where = `${entry.path} (${reading.file.label}, line ${entry.line})`;
  const written = typeof entry.value === 'object' ? joined(entry.value.nested, setting) : entry.value;
  if (written === undefined) {
    if (entry.value !== undefined) reading.findings.problems.push(`${where} must be a single value.`);
    return undefined;
  }
  const result = interpolate(written, reading.lookup);
  if (result.kind === 'malformed') {
    reading.findings.problems.push(
      `${where} has a \${ that begins no variable; it must be \${NAME}, or $$ for a plain $.`,
    );
  }
  return result.kind === 'text' && result.text !== '' ? { text: result.text, where } : undefined;
}

/** A list of `host:port` may also be written as a YAML sequence. */
function joined(items: readonly (string | undefined)[], setting: Setting | undefined): string | undefined {
  const isList = Array.isArray(setting?.format.empty);
  return isList && items.every((item) => item !== undefined) ? items.join(',') : undefined;
}

function readLogFile(reading: FileReading, given: Given): void {
  if (/[/\\]$/.test(given.text)) {
    reading.findings.problems.push(
      `${given.where} is ${quoted(given.text)}; it must be a file such as logs/worker.log.`,
    );
    return;
  }
  put(reading, 'logging.directory', { ...given, text: dirname(given.text) });
  put(reading, 'logging.file_name', { ...given, text: basename(given.text) });
}

function put(reading: FileReading, path: string, given: Given | undefined): void {
  if (given === undefined) return;
  const earlier = reading.layer.get(path);
  if (earlier === undefined) reading.layer.set(path, given);
  else
    reading.findings.problems.push(`${earlier.where} and ${given.where} say the same thing; it must be one of them.`);
}

function reportUnknown(reading: FileReading, entry: FileEntry): void {
  const meant = nearest(entry.path, DOCUMENTED_PATHS) ?? nearest(entry.path, [...SECTIONS]);
  const suggestion = meant === undefined ? 'docs/settings.md lists all keys' : `did you mean ${meant}?`;
  const stop = suggestion.endsWith('?') ? '' : '.';
  reading.findings.problems.push(
    `${reading.file.label}, line ${entry.line}: ${entry.path} is no known key; ${suggestion}${stop}`,
  );
}
