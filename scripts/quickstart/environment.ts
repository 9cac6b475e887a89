/** What the quickstart takes from the user's environment: the address of a Redis, and nothing else that is a setting. */
import { resolve } from 'node:path';
import { secretFileEnv } from '../../src/shared/config/settings/setting.js';
import { CONFIG_FILE, SETTINGS } from '../../src/shared/config/settings/settings.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Any of them says where a Redis is. */
const REDIS_PLACES = ['REDIS_HOST', 'REDIS_SENTINELS', 'REDIS_CLUSTER_NODES'];
/** Of a service manager: not for the supervisor that we start. */
const OF_OUR_PARENT = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'];

export function namesRedis(env: Environment): boolean {
  return REDIS_PLACES.some((name) => (env[name] ?? '') !== '');
}

/**
 * `env` without any setting of the worker. With `keepRedis`, those of the Redis connection stay, file names made absolute
 * since the supervisor runs in another folder; the name of the queue goes in either case.
 */
export function supervisorEnvironment(env: Environment, cwd: string, keepRedis: boolean): Record<string, string> {
  const dropped = new Set<string>([CONFIG_FILE.env, ...OF_OUR_PARENT]);
  const files = new Set<string>(['REDIS_TLS_CA_PATH']);
  for (const setting of SETTINGS) {
    const names = setting.secret === true ? [setting.env, secretFileEnv(setting)] : [setting.env];
    const stays = keepRedis && setting.target.startsWith('redis.');
    for (const name of names) if (!stays) dropped.add(name);
    if (setting.secret === true) files.add(secretFileEnv(setting));
  }
  const kept: Record<string, string> = {};
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || dropped.has(name)) continue;
    kept[name] = files.has(name) && text !== '' ? resolve(cwd, text) : text;
  }
  return kept;
}
