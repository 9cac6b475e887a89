/** Installs a package of Debian's archive, so that the machine gains its programs and nothing else. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';

export interface DebianPackage {
  readonly debianPackage: string;
  /** Services that the package would enable at boot. */
  readonly debianServices?: readonly string[];
}

/** How to run a command as root on Debian and its kin; undefined where we may not. */
export async function rootCommand(): Promise<readonly string[] | undefined> {
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

/** Rejects with what apt-get said last. */
export async function installPackage(asRoot: readonly string[], wanted: DebianPackage): Promise<void> {
  const shell = ['sh', '-c', INSTALL_SCRIPT, 'sh', wanted.debianPackage, ...(wanted.debianServices ?? [])];
  const [command = 'sh', ...args] = [...asRoot, ...shell];
  await run(command, args);
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
