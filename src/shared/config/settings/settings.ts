/**
 * The table of all settings. The loader, the command line, the printed configuration and the README's table come from
 * it, so a setting is added in one place.
 */
import { CONNECTION_SETTINGS } from './connection-settings.js';
import { PROCESS_SETTINGS } from './process-settings.js';
import { secretFileEnv, type ConfigPlace, type Setting } from './setting.js';

const TABLE = [...CONNECTION_SETTINGS, ...PROCESS_SETTINGS] as const;

type Unset = Exclude<ConfigPlace, (typeof TABLE)[number]['target']>;

/** Does not compile while a place of Config has no setting. */
export const SETTINGS: [Unset] extends [never] ? readonly Setting[] : never = TABLE;

/** Where the file is found; not part of the file itself. */
export const CONFIG_FILE = {
  env: 'WORKER_CONFIG',
  flag: 'config',
  defaultShown: '`config/config.yaml`, else `config.yaml`, else the one shipped',
  prose: 'Configuration file',
} as const;

/** The README's table of settings, in Markdown. */
export function configurationTable(): string {
  const rows = [
    ['Variable', 'Default', 'config.yaml', 'Flag', 'Description'],
    ['---', '---', '---', '---', '---'],
    [code(CONFIG_FILE.env), CONFIG_FILE.defaultShown, '', code(`--${CONFIG_FILE.flag}`), CONFIG_FILE.prose],
    ...SETTINGS.map((setting) => [
      code(setting.env),
      defaultOf(setting),
      code(setting.path),
      flagsOf(setting).map(code).join(', '),
      proseOf(setting),
    ]),
  ];
  return rows.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

function defaultOf(setting: Setting): string {
  if (setting.defaultShown !== undefined) return setting.defaultShown;
  if (setting.default === '') return '_(empty)_';
  return setting.unit === undefined ? code(setting.default) : `${code(setting.default)} ${setting.unit}`;
}

function proseOf(setting: Setting): string {
  if (setting.secret !== true) return setting.prose;
  return `${setting.prose}; also from the file that ${code(secretFileEnv(setting))} names`;
}

function flagsOf(setting: Setting): string[] {
  if (setting.flag === undefined) return [];
  const flags = typeof setting.flag === 'string' ? [setting.flag] : Object.values(setting.flag);
  return flags.map((flag) => `--${flag}`);
}

function code(text: string): string {
  return `\`${text}\``;
}
