import { setTimeout as sleep } from 'node:timers/promises';
import type { Stand } from '../stand.js';

/** One way of delivering messages, in one process at `concurrency` at a time. */
export interface Contender {
  readonly name: string;
  start(stand: Stand, options: ContenderOptions): Promise<Running>;
}

export interface ContenderOptions {
  readonly concurrency: number;
  /** Where CPU profiles go; none are written without it. */
  readonly profileFolder?: string | undefined;
  /** Default: the stand's sink. */
  readonly url?: string | undefined;
  /** Deliveries fail: each is tried again after 30 s, as often as it takes. */
  readonly retries?: boolean;
}

export interface Running {
  /** The process whose CPU and memory count. */
  readonly pid: number;
  /** Puts `count` messages where the process does not see them yet. */
  prepare(count: number): Promise<void>;
  /** Shows them to the process; resolves when all are delivered and acknowledged. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

const LOOK_EVERY_MS = 2;
const DEADLINE_MS = 120_000;

export function profileArguments(folder: string | undefined): string[] {
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}

/** Looks every 2 ms, which costs neither Redis nor the machine anything that shows. */
export async function until(isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new Error(`Messages were left after ${DEADLINE_MS / 1_000} s.`);
    await sleep(LOOK_EVERY_MS);
  }
}
