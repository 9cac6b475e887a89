/**
 * The quickstart's own folder, `.quickstart/<time>-<pid>` in the project: certificates, Redis files, configuration, logs.
 *
 * Everything the supervisor reads comes from here, so that neither a `.env` nor a config.yaml of the user's counts.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { packageRoot } from '../../src/shared/config/package-root.js';

export interface RunFolder {
  readonly path: string;
  readonly logs: string;
  readonly redis: string;
  readonly certificates: string;
  readonly configFile: string;
}

/** Logs of as many past runs are kept. */
const KEPT_RUNS = 5;
const RUN_NAME = /^\d{8}T\d{6}-(\d+)$/;

export async function openRunFolder(): Promise<RunFolder> {
  const home = join(packageRoot, '.quickstart');
  await mkdir(home, { recursive: true });
  await tidyPastRuns(home);
  const time = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '');
  const path = join(home, `${time}-${process.pid}`);
  const folder: RunFolder = {
    path,
    logs: join(path, 'logs'),
    redis: join(path, 'redis'),
    certificates: join(path, 'certificates'),
    configFile: join(path, 'config.yaml'),
  };
  for (const part of [path, folder.logs, folder.redis]) await mkdir(part, { mode: 0o700 });
  return folder;
}

/** Removes everything but the logs. */
export async function keepLogsOnly(path: string): Promise<void> {
  const names = await readdir(path);
  const gone = names.filter((name) => name !== 'logs');
  await Promise.all(gone.map((name) => rm(join(path, name), { recursive: true, force: true, maxRetries: 3 })));
}

/** `settings` as in config/config.yaml. `$` begins a variable there, so one that is meant is written twice. */
export async function writeConfig(folder: RunFolder, settings: object): Promise<void> {
  await writeFile(folder.configFile, stringify(settings).replaceAll('$', '$$$$'), { mode: 0o600 });
}

async function tidyPastRuns(home: string): Promise<void> {
  const runs = (await readdir(home)).filter((name) => RUN_NAME.test(name)).sort();
  const past = runs.filter((name) => !isAlive(Number(RUN_NAME.exec(name)?.[1])));
  for (const name of past.slice(0, -KEPT_RUNS)) await rm(join(home, name), { recursive: true, force: true });
  // One that was killed with SIGKILL could not clear up after itself.
  for (const name of past.slice(-KEPT_RUNS)) await keepLogsOnly(join(home, name));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
