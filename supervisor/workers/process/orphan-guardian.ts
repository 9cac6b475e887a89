import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Life } from '../../../src/shared/life.js';
import type { Log } from '../../../src/shared/logger/log.js';
import type { Clock, Timer } from '../../../src/shared/time/clock.js';

/** Orphans drain for 8 s; one whose event loop is blocked never learns that it is one. All are gone before 15 s. */
const ORPHAN_LIFE_S = 11;

/** A shell that somebody killed is replaced after this time. */
const RESTART_MS = 1_000;

/**
 * Waits for the primary to die, which closes its standard input, and then ends the children that do not end by
 * themselves. A thread inside each child would do it too, at 9.5 MB a child; this shell takes 1 MB for all.
 *
 * $1 = entry point of the children: a pid that came to belong to another program meanwhile is left alone.
 * Input: one line for each change, the pids of all children.
 */
const SCRIPT = `
trap '' INT HUP TERM
pids=
while read -r line; do pids=$line; done
ours() { { tr '\\000' ' ' < "/proc/$1/cmdline" || ps -p "$1" -o command=; } 2>/dev/null | grep -q -F -- "$2"; }
second=0
while [ $second -lt ${ORPHAN_LIFE_S} ]; do
  left=
  for pid in $pids; do if kill -0 "$pid" 2>/dev/null; then left="$left $pid"; fi; done
  [ -n "$left" ] || exit 0
  pids=$left
  sleep 1
  second=$((second + 1))
done
for pid in $pids; do if ours "$pid" "$1"; then kill -KILL "$pid"; fi; done
`;

interface OrphanGuardianOptions {
  /** Absolute path that stands on the children's command line. */
  readonly entry: string;
  readonly log: Log;
  readonly clock: Clock;
}

/** On Windows it does nothing: there each child guards itself. */
export class OrphanGuardian implements Life {
  readonly #options: OrphanGuardianOptions;
  #shell: ChildProcess | undefined;
  #restart: Timer | undefined;
  #watched = '';
  #stopped = false;

  constructor(options: OrphanGuardianOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#stopped || process.platform === 'win32') return;
    this.#shell ??= this.#spawn();
  }

  /** Tells it which processes to end should this one die. */
  watch(pids: readonly number[]): void {
    const line = pids.join(' ');
    if (line === this.#watched) return;
    this.#watched = line;
    this.#tell();
  }

  /** From now on nobody is guarded. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#restart?.cancel();
    const shell = this.#shell;
    if (shell?.pid === undefined || shell.exitCode !== null || shell.signalCode !== null) return;
    shell.ref();
    shell.kill('SIGKILL');
    await once(shell, 'exit');
  }

  #spawn(): ChildProcess {
    const { entry, log } = this.#options;
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'orphan-guardian', entry], { stdio: ['pipe', 'ignore', 'ignore'] });
    shell.on('error', (error) => {
      log.warn(`Orphans of a dead supervisor will not be ended by force, /bin/sh did not start: ${error.message}`);
    });
    shell.stdin?.on('error', () => undefined); // it ended: `exit` tells
    shell.once('exit', () => this.#replace());
    shell.unref();
    return shell;
  }

  #replace(): void {
    if (this.#stopped) return;
    this.#restart = this.#options.clock
      .after(RESTART_MS, () => {
        this.#shell = this.#spawn();
        this.#tell();
      })
      .unref();
  }

  #tell(): void {
    this.#shell?.stdin?.write(`${this.#watched}\n`, () => undefined);
  }
}
