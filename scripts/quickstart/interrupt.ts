/** The wish to stop: Ctrl-C, SIGTERM, or the terminal that was closed. */

/** What `signal` is aborted with. */
export class InterruptedError extends Error {}

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Called at every further wish: the user is in a hurry. */
  onRepeat: (() => void) | undefined;
  close(): void;
}

/** npm passes on the SIGINT that the terminal has sent us as well: two this close together are one wish. */
const SAME_CTRL_C_MS = 500;

export function listenForInterrupt(): Interrupt {
  const controller = new AbortController();
  let last = -Infinity;
  const interrupt: Interrupt = { signal: controller.signal, onRepeat: undefined, close };
  const received = () => {
    const now = performance.now();
    const isEcho = now - last < SAME_CTRL_C_MS;
    last = now;
    if (!controller.signal.aborted) controller.abort(new InterruptedError('Interrupted'));
    else if (!isEcho) interrupt.onRepeat?.();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, received);
  function close(): void {
    for (const signal of signals) process.off(signal, received);
  }
  return interrupt;
}
