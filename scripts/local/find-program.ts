/**
 * Finds a program on the PATH, or gets it from Debian's archive when we may.
 *
 * An installation is announced first, starts no service and enables none: the machine gains the program and nothing else.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { BrokerError } from '../../src/shared/errors.js';

export interface ProgramRequest {
  /** In order of preference. */
  readonly names: readonly string[];
  readonly debianPackage: string;
  /** Services that the package would enable at boot. */
  readonly debianServices?: readonly string[];
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
  readonly installed: boolean;
}

/** The program cannot be had here; the message says how to get it. */
export class ProgramMissingError extends BrokerError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('E_PROGRAM_MISSING', message, options);
  }
}

const REDIS: ProgramRequest = {
  names: ['redis-server', 'valkey-server'],
  debianPackage: 'redis-server',
  debianServices: ['redis-server'],
  otherwise: {
    linux:
      'Install Redis with your package manager (for example "dnf install redis" or "apk add redis"), or set REDIS_HOST.',
    darwin: 'Install Redis with "brew install redis", or set REDIS_HOST.',
    win32: 'Install Memurai or run Redis in WSL, or set REDIS_HOST to a host that has it.',
  },
};

/** @throws ProgramMissingError */
export function findRedis(options: FindOptions = {}): Promise<FoundProgram> {
  return findProgram(REDIS, options);
}

/** @throws ProgramMissingError */
export async function findProgram(request: ProgramRequest, options: FindOptions = {}): Promise<FoundProgram> {
  const path = await onPath(request.names, options.path);
  if (path) return { path, installed: false };
  const wanted = request.names.join(' or ');
  const asRoot = options.install === false ? undefined : await rootCommand();
  if (!asRoot) throw new ProgramMissingError(`Found no ${wanted} on the PATH. ${hint(request)}`);
  options.announce?.(
    `Found no ${wanted} on the PATH; installing the Debian package ${request.debianPackage} with apt-get`,
  );
  await install(asRoot, request);
  const installed = await onPath(request.names, options.path);
  if (!installed)
    throw new ProgramMissingError(`The package ${request.debianPackage} brought no ${wanted}. ${hint(request)}`);
  return { path: installed, installed: true };
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

/** How to run a command as root on Debian and its kin; undefined where we may not. */
async function rootCommand(): Promise<readonly string[] | undefined> {
  if (process.platform !== 'linux') return undefined;
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  if (!/^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release)) return undefined;
  if (process.getuid?.() === 0) return [];
  const sudoWorks = await run('sudo', ['-n', 'true']).then(
    () => true,
    () => false,
  );
  return sudoWorks ? ['sudo', '-n'] : undefined;
}

/**
 * policy-rc.d (exit code 101 = forbidden) keeps the package from starting its service, here and under systemd alike.
 * One that is there already belongs to the machine's owner and stays. The lock, on a file that is always there, makes
 * installations that run at once wait for each other: the first to end would take the policy from the others.
 */
const INSTALL_SCRIPT = `
set -e
exec 9</etc/os-release
flock 9
package=$1; shift
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get install -y -q --no-install-recommends "$package" || {
  apt-get update -q
  apt-get install -y -q --no-install-recommends "$package"
}
for service in "$@"; do
  update-rc.d "$service" disable >/dev/null 2>&1 || true
done
`;

async function install(asRoot: readonly string[], request: ProgramRequest): Promise<void> {
  const shell = ['sh', '-c', INSTALL_SCRIPT, 'sh', request.debianPackage, ...(request.debianServices ?? [])];
  const [command = 'sh', ...args] = [...asRoot, ...shell];
  await run(command, args).catch((error: unknown) => {
    const text = `apt-get could not install ${request.debianPackage}. ${hint(request)}`;
    throw new ProgramMissingError(text, { cause: error });
  });
}

function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => void (errors = (errors + chunk.toString()).slice(-2_048)));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command}: ${errors.trim()}`))));
  });
}
