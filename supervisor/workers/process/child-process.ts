import type { ToChild } from '../../../src/shared/ipc.js';
import type { Effort } from '../effort.js';

/** The process below a worker handle; forked-child.ts makes it of a cluster worker. */
export interface ChildProcess {
  /** 0 when the process could not be started; `onExit` follows. */
  readonly pid: number;
  /** Never throws; a child that is gone or does not read makes no difference. */
  send(message: ToChild): void;
  killNow(): void;
  /** Undefined = not known here. */
  effort(): Effort | undefined;
  onMessage(listener: (message: unknown) => void): void;
  onExit(listener: (exit: Exit) => void): void;
}

export interface Exit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}
