import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { EXIT_FAILURE, reasonOf } from '../../src/shared/errors.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { DEFAULT_DAYS, FILE_NAMES, LOCAL_HOSTS, makeCertificates } from '../certificates/certificates.js';
import { CommandError, printJson, usageError, type CommandContext, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, USAGE, type ExitCode } from './kit/exit-codes.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'made'],
  [EXIT_FAILURE, 'files are there already (--force), or cannot be written'],
  USAGE,
];

interface CertsOptions {
  readonly directory: string;
  readonly host: readonly string[];
  readonly days: string;
  readonly workerName: string;
  readonly force?: true;
  readonly json?: true;
}

export const registerCerts: RegisterCommand = (program, context) => {
  const command = program
    .command('certs')
    .description('make a certificate authority for development, and pairs for main server and worker')
    .option('--directory <folder>', 'where the files go', 'certs')
    .option('--host <host...>', 'names and addresses of the main server', [...LOCAL_HOSTS])
    .option('--days <days>', 'how long they are valid', String(DEFAULT_DAYS))
    .option('--worker-name <name>', "common name of the worker's certificate", 'worker')
    .option('--force', 'replace files that are there')
    .option('--json', 'print the paths as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker certs --directory certs --host localhost 10.0.0.5\n')
    .action((options: CertsOptions) => makeAll(options, context));
  addExitCodes(command, EXIT_CODES);
};

async function makeAll(options: CertsOptions, context: CommandContext): Promise<void> {
  const { host: hosts, days, workerName, force, json } = options;
  if (!/^[1-9]\d{0,4}$/.test(days)) throw usageError('--days must be a whole number from 1 to 99999.');
  const directory = resolve(context.cwd, options.directory);
  const there = FILE_NAMES.filter((name) => existsSync(join(directory, name)));
  if (there.length > 0 && !force) {
    throw new CommandError(
      EXIT_FAILURE,
      `${directory} holds ${there.join(', ')} already; give another --directory, or --force to replace them.`,
    );
  }
  const wallNow = systemClock.wallNow();
  await makeCertificates({ directory, hosts, days: Number(days), workerName, wallNow }).catch((error: unknown) => {
    throw new CommandError(EXIT_FAILURE, `The certificates cannot be written to ${directory}: ${reasonOf(error)}.`);
  });
  const paths = FILE_NAMES.map((name) => join(directory, name));
  if (json) printJson(context, { directory, files: paths });
  else for (const path of paths) context.print(path);
}
