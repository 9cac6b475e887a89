/**
 * The table of all settings. The loader and the command line come from it, and the table of docs/settings.md is held to
 * it, so a setting is added in one place.
 */
import { CONNECTION_SETTINGS } from './connection-settings.js';
import { PROCESS_SETTINGS } from './process-settings.js';
import type { ConfigPlace, Setting } from './setting.js';

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
