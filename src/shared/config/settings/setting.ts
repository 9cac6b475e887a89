import type { Config } from '../config.js';
import type { Format } from '../formats/format.js';

/** Which command reads the configuration: `start` (a supervisor with its workers) or `worker` (one worker alone). */
export type Role = 'supervisor' | 'worker';

/** One row of the table: everything that is known about one setting. */
interface SettingOf<Target extends string, Value> {
  /** Where it stands in the YAML file. */
  readonly path: string;
  /** Where it stands in Config. The compiler checks that every place of Config has a setting of its type. */
  readonly target: Target;
  readonly env: string;
  /** Long flag without dashes, for the commands that have one. */
  readonly flag?: string | Readonly<Record<Role, string>>;
  /** As an operator would write it; the empty text = not set. */
  readonly default: string;
  /** Path of the setting whose value this one has where it is not given. */
  readonly defaultFrom?: string;
  /** What the documentation shows where the default is empty or depends on the host. */
  readonly defaultShown?: string;
  readonly format: Format<Value>;
  readonly unit?: 'seconds' | 'days' | 'MB';
  readonly prose: string;
  /** Never printed; can also be read from the file named by `<env>_FILE` or `<path>_file`. */
  readonly secret?: true;
  /** The supervisor takes it at its start only: a reload says that it changed and keeps it. */
  readonly restart?: true;
}

type Section = keyof Config;
type PlaceIn<S extends Section> = `${S}.${keyof Config[S] & string}`;
/** Every place in Config, such as `redis.host`. */
export type ConfigPlace = { [S in Section]: PlaceIn<S> }[Section];
type ValueAt<P extends string> = P extends `${infer S extends Section}.${infer K}`
  ? K extends keyof Config[S]
    ? Config[S][K]
    : never
  : never;

export type Setting = { [P in ConfigPlace]: SettingOf<P, ValueAt<P>> }[ConfigPlace];

/** `redis.password` → `redis.password_file`, `REDIS_PASSWORD` → `REDIS_PASSWORD_FILE`. */
export function secretFilePath(setting: Setting): string {
  return `${setting.path}_file`;
}
export function secretFileEnv(setting: Setting): string {
  return `${setting.env}_FILE`;
}

export function flagFor(setting: Setting, role: Role): string | undefined {
  return typeof setting.flag === 'object' ? setting.flag[role] : setting.flag;
}

/** Without generics, for code that treats all settings alike: what `format.parse` made, `format.print` takes. */
export function printValue(setting: Setting, value: unknown): string {
  return (setting.format as Format<unknown>).print(value);
}
