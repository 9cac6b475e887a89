/**
 * Finds a program on the PATH, or gets it from Debian's archive when we may.
 *
 * An installation is announced first, starts no service and enables none: the machine gains the program and nothing else.
 */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { BrokerError } from '../../src/shared/errors.js';
import { installPackage, rootCommand, type DebianPackage } from './debian-package.js';

export interface ProgramRequest extends DebianPackage {
  /** In order of preference. */
  readonly names: readonly string[];
  /** What to do where we cannot install it: one sentence per platform. */
  readonly otherwise: Readonly<Record<'linux' | 'darwin' | 'win32', string>>;
}

export interface FindOptions {
  /** Default true; false = never install (`--no-install`). */
  readonly install?: boolean;
  readonly announce?: (text: string) => void;
  /** Default process.env.PATH. */
  readonly path?: string;
}

export interface FoundProgram {
  readonly path: string;
}

/** The program cannot be had here; the message says how to get it. */
export class ProgramMissingError extends BrokerError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('E_PROGRAM_MISSING', message, options);
  }
}

/** @throws ProgramMissingError */
export async function findProgram(request: ProgramRequest, options: FindOptions = {}): Promise<FoundProgram> {
  const path = await onPath(request.names, options.path);
  if (path) return { path };
  const wanted = request.names.join(' or ');
  const asRoot = options.install === false ? undefined : await rootCommand();
  if (!asRoot) throw new ProgramMissingError(`Found no ${wanted} on the PATH. ${hint(request)}`);
  options.announce?.(
    `Found no ${wanted} on the PATH; installing the Debian package ${request.debianPackage} with apt-get`,
  );
  await installPackage(asRoot, request).catch((error: unknown) => {
    const text = `apt-get could not install ${request.debianPackage}. ${hint(request)}`;
    throw new ProgramMissingError(text, { cause: error });
  });
  const installed = await onPath(request.names, options.path);
  if (!installed)
    throw new ProgramMissingError(`The package ${request.debianPackage} brought no ${wanted}. ${hint(request)}`);
  return { path: installed };
}

async function onPath(names: readonly string[], searchPath = process.env['PATH'] ?? ''): Promise<string | undefined> {
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  for (const name of names) {
    for (const folder of searchPath.split(delimiter).filter(Boolean)) {
      for (const suffix of suffixes) {
        const candidate = join(folder, name + suffix);
        if (await isExecutable(candidate)) return candidate;
      }
    }
  }
  return undefined;
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function hint(request: ProgramRequest): string {
  const platform = process.platform === 'darwin' || process.platform === 'win32' ? process.platform : 'linux';
  return request.otherwise[platform];
}
