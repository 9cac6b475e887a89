import type { Config } from '../../src/shared/config/config.js';
import { printValue, type Setting } from '../../src/shared/config/settings/setting.js';
import { SETTINGS } from '../../src/shared/config/settings/settings.js';

interface Judgement {
  /** The new configuration with what only a restart can change as it was. */
  readonly config: Config;
  /** One sentence for each setting that would have changed so. */
  readonly remarks: readonly string[];
}

/** What of a new configuration the running supervisor can put into service. */
export function judge(before: Config, after: Config): Judgement {
  let config = after;
  const remarks: string[] = [];
  for (const setting of SETTINGS) {
    if (setting.restart !== true) continue;
    const { section, key } = placeOf(setting);
    const is = before[section][key];
    const [stays, wanted] = [printValue(setting, is), printValue(setting, after[section][key])];
    config = { ...config, [section]: { ...config[section], [key]: is } };
    if (stays !== wanted) remarks.push(sentence(setting, wanted, stays));
  }
  return { config, remarks };
}

function sentence({ env }: Setting, wanted: string, stays: string): string {
  return `${env} changed to ${wanted}; it stays ${stays} until the supervisor is restarted.`;
}

function placeOf({ target }: Setting): { readonly section: keyof Config; readonly key: never } {
  const [section, key] = target.split('.') as [keyof Config, never];
  return { section, key };
}
