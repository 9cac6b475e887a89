import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { reasonOf, EXIT_FAILURE } from '../../src/shared/errors.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { LOCAL_HOSTS } from '../certificates/certificates.js';
import { CommandError, printJson, usageError, type RegisterCommand } from './kit/command.js';

interface CertsOptions {
  readonly directory: string;
  readonly host: readonly string[];
  readonly days: string;
  readonly workerName: string;
  readonly force?: true;
  readonly json?: true;
}

const FILES = ['ca', 'server', 'worker'].flatMap((name) => [`${name}.crt`, `${name}.key`]);

export const registerCerts: RegisterCommand = (program, context) => {
  program
    .command('certs')
    .description('make a certificate authority for development, and pairs for main server and worker')
    .option('--directory <folder>', 'where the files go', 'certs')
    .option('--host <host...>', 'names and addresses of the main server', [...LOCAL_HOSTS])
    .option('--days <days>', 'how long they are valid', '825')
    .option('--worker-name <name>', "common name of the worker's certificate", 'worker')
    .option('--force', 'replace files that are there')
    .option('--json', 'print the paths as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker certs --directory certs --host localhost 10.0.0.5\n')
    .action(async ({ directory, host, days, workerName, force, json }: CertsOptions) => {
      if (!/^[1-9]\d{0,4}$/.test(days)) throw usageError('--days must be a whole number from 1 to 99999.');
      const folder = resolve(context.cwd, directory);
      const there = FILES.filter((name) => existsSync(join(folder, name)));
      if (there.length > 0 && !force) {
        throw new CommandError(
          EXIT_FAILURE,
          `${folder} holds ${there.join(', ')} already; give another --directory, or --force to replace them.`,
        );
      }
      const { makeCertificates } = await import('../certificates/certificates.js');
      await makeCertificates({
        directory: folder,
        hosts: host,
        days: Number(days),
        workerName,
        wallNow: systemClock.wallNow(),
      }).catch((error: unknown) => {
        throw new CommandError(EXIT_FAILURE, `The certificates cannot be written to ${folder}: ${reasonOf(error)}.`);
      });
      const paths = FILES.map((name) => join(folder, name));
      if (json) printJson(context, { directory: folder, files: paths });
      else for (const path of paths) context.print(path);
    });
};
