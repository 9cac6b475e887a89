import { spawn, type ChildProcess } from 'node:child_process';
import type { Life } from '../../src/shared/life.js';

/** Reads the process groups, all on one line for each change, until we are gone; then ends them. */
const SCRIPT = `
trap '' INT HUP TERM
groups=
while read -r line; do groups=$line; done
for group in $groups; do kill -KILL "-$group"; done 2>/dev/null
`;

/**
 * Ends what the quickstart started when it dies without a chance to do so (kill -9): a shell whose standard input closes
 * with us. On Windows it does nothing.
 */
export class LastWill implements Life {
  readonly #groups: number[] = [];
  #shell: ChildProcess | undefined;
  #stopped = false;

  start(): void {
    if (this.#stopped || process.platform === 'win32') return;
    this.#shell ??= spawn('/bin/sh', ['-c', SCRIPT, 'quickstart-last-will'], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#shell.on('error', () => undefined); // without /bin/sh there is no such help
    this.#shell.stdin?.on('error', () => undefined);
    this.#shell.unref();
  }

  /** A process that leads a group of its own; undefined = it could not be started. */
  include(pid: number | undefined): void {
    if (pid === undefined) return;
    this.#groups.push(pid);
    this.#tell(this.#groups);
  }

  /** All have ended: nothing is left to be done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#tell([]);
    this.#shell?.stdin?.end();
  }

  #tell(groups: readonly number[]): void {
    this.#shell?.stdin?.write(`${groups.join(' ')}\n`, () => undefined);
  }
}
