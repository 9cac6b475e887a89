import { secretFileEnv, type Setting } from '../../../src/shared/config/settings/setting.js';
import { CONFIG_FILE, SETTINGS } from '../../../src/shared/config/settings/settings.js';

/** The table of docs/settings.md, in Markdown, as the settings make it. */
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
