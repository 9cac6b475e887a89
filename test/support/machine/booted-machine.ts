/** A second machine with this one's programs, under a booted systemd; see boot.sh. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../wait-for.js';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface BootedMachine {
  /** Where a file of it stands for us; `inside` is absolute. */
  path(inside: string): string;
  /** Runs a command in it, as root and in /, to its end; its exit code rejects nothing. Killed after 120 s. */
  run(command: string, ...args: string[]): Promise<Outcome>;
  /** The same for a shell's script. */
  shell(script: string): Promise<Outcome>;
  switchOff(): Promise<void>;
}

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const BOOT = fileURLToPath(new URL('boot.sh', import.meta.url));
const COMMAND_MS = 120_000;
const BOOT_MS = 60_000;

/** Mounts as boot.sh does, in name spaces that end with it. */
const TRIAL = `mount -t tmpfs tmpfs /mnt && mkdir /mnt/groups && mount -t cgroup2 cgroup2 /mnt/groups &&
  mkdir /mnt/up /mnt/work /mnt/root && mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work /mnt/root &&
  unshare --cgroup --pid --uts --ipc --mount --fork true`;

/** Why none can be booted here (not Linux, not root, a container that may not mount); undefined where one can. */
export async function whyNoMachine(): Promise<string | undefined> {
  const { code, stderr } = await execute('unshare', ['--mount', 'sh', '-c', TRIAL]);
  return code === 0 ? undefined : stderr.trim() || 'it needs Linux, root and the right to mount';
}

export async function bootMachine(): Promise<BootedMachine> {
  const folder = mkdtempSync(join(tmpdir(), 'machine-'));
  const child = spawn('unshare', ['--mount', 'sh', BOOT, folder, REPOSITORY, process.execPath], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const machine = new Machine(child, folder);
  try {
    await machine.booted();
  } catch (error) {
    await machine.switchOff();
    throw error;
  }
  return machine;
}

class Machine implements BootedMachine {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #exited: Promise<unknown>;
  #firstProcess = '';
  #said = '';

  constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#exited = once(child, 'close');
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface(stream).on('line', (line) => {
        this.#said += `${line}\n`;
        this.#firstProcess ||= /^process 1 is (\d+)$/.exec(line)?.[1] ?? '';
      });
    }
  }

  async booted(): Promise<void> {
    const isUp = async () => {
      if (this.#child.exitCode !== null) throw new Error(`The machine did not boot: ${this.#said}`);
      return (
        this.#firstProcess !== '' && (await this.run('systemctl', 'is-system-running')).stdout.trim() === 'running'
      );
    };
    await waitFor(isUp, { what: 'the machine to boot', deadlineMs: BOOT_MS }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.#said}`);
    });
  }

  path(inside: string): string {
    return join('/proc', this.#firstProcess, 'root', inside);
  }

  run(command: string, ...args: string[]): Promise<Outcome> {
    const spaces = ['--mount', '--pid', '--cgroup', '--uts', '--ipc', '--root', '--wd'];
    return execute('nsenter', ['--target', this.#firstProcess, ...spaces, command, ...args]);
  }

  shell(script: string): Promise<Outcome> {
    return this.run('sh', '-c', script);
  }

  async switchOff(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function execute(command: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: COMMAND_MS, killSignal: 'SIGKILL', maxBuffer: 2 ** 24 }, (error, out, err) => {
      const code = typeof error?.code === 'number' ? error.code : 1;
      resolve({ code: error ? code : 0, stdout: out, stderr: err || (error && !out ? error.message : '') });
    });
  });
}
