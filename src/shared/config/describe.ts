import type { Config } from './config.js';
import { printValue } from './settings/setting.js';
import { SETTINGS } from './settings/settings.js';

/** A setting as an operator may see it. */
export interface DescribedSetting {
  readonly path: string;
  readonly env: string;
  /** As one would write it (seconds, not milliseconds); a secret shows only whether it is set. */
  readonly value: string;
}

export function describeConfig(config: Config): readonly DescribedSetting[] {
  return SETTINGS.map((setting) => {
    const [section, key] = setting.target.split('.') as [keyof Config, string];
    const value = (config[section] as Readonly<Record<string, unknown>>)[key];
    const printed = printValue(setting, value);
    return {
      path: setting.path,
      env: setting.env,
      value: setting.secret === true && printed !== '' ? '******' : printed,
    };
  });
}
