import { spawn, type ChildProcess } from 'node:child_process';
/** Orphans drain for 8 s; one whose event loop is blocked never learns that it is one. All are gone before 15 s. */
const ORPHAN_LIFE_S = 11;

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

export interface OrphanGuardian {
  /** Tells it which processes to end should this one die. */
  watch(pids: readonly number[]): void;
  /** Ends it; nobody is guarded any more. */
  stop(): void;
}

/** `entry`: absolute path that stands on the children's command line. On Windows each child guards itself. */
export function startOrphanGuardian(entry: string, onError: (error: Error) => void): OrphanGuardian {
  if (process.platform === 'win32') return { watch: () => undefined, stop: () => undefined };
  let stopped = false;
  let watched = '';
  let shell = start();

  function start(): ChildProcess {
    const child = spawn('/bin/sh', ['-c', SCRIPT, 'orphan-guardian', entry], { stdio: ['pipe', 'ignore', 'ignore'] });
    child.on('error', onError);
    child.stdin?.on('error', () => undefined); // it ended: `exit` tells
    child.once('exit', () => {
      if (!stopped) restart();
    });
    child.unref();
    return child;
  }

  function restart(): void {
    setTimeout(() => {
      if (stopped) return;
      shell = start();
      tell();
    }, 1_000).unref();
  }

  function tell(): void {
    shell.stdin?.write(`${watched}\n`, () => undefined);
  }

  return {
    watch(pids) {
      const line = pids.join(' ');
      if (line === watched) return;
      watched = line;
      tell();
    },
    stop() {
      stopped = true;
      shell.kill('SIGKILL');
    },
  };
}
