/**
 * The log of one process: to the console and to the day's file that all processes share (output.ts).
 *
 * No failure of either end ends the process or holds up whoever logs.
 */
import type { Writable } from 'node:stream';
import type { Config, LogLevel } from '../config/config.js';
import type { Life } from '../life.js';
import type { Clock } from '../time/clock.js';
import type { Log } from './log.js';
import { createLineFormat } from './line-format.js';
import { Output } from './output.js';

export interface LoggerOptions {
  readonly logging: Config['logging'];
  /** The [worker-1] tag; `supervisor` in the primary. */
  readonly name: string;
  /** True in one process per folder: it keeps the link to today's file and deletes old files. */
  readonly ownsRotation: boolean;
  /** Of the timestamps and of midnight; the name of the file follows the host's date. */
  readonly clock: Clock;
  /** Default: the process's own. */
  readonly stdout?: Writable;
}

/** Lines before `start` and after `stop` are ignored; the file is opened at the first line. */
export interface Logger extends Log, Life {
  start(): void;
  /** Resolves when all lines so far are on disk and on the console, or after 2 s. */
  stop(): Promise<void>;
  setLevel(level: LogLevel): void;
  /** As stop, and goes on. */
  flush(): Promise<void>;
  /** Last words before an exit that cannot wait: synchronous, to stderr and the file, with what still waits. */
  crash(text: string): void;
  /** `dropped`: lines that reached the console or the file too late for its 16 MiB of memory. */
  stats(): { readonly dropped: number; readonly fileErrors: number };
}

const SEVERITY: Readonly<Record<LogLevel, number>> = { DEBUG: 0, INFO: 1, WARNING: 2, ERROR: 3 };
const FLUSH_DEADLINE_MS = 2_000;

export function createLogger({ logging, name, ownsRotation, clock, stdout }: LoggerOptions): Logger {
  const format = createLineFormat({ format: logging.format, name, clock });
  const output = new Output({
    logging,
    ownsRotation,
    clock,
    stdout,
    complain: (text) => void process.stderr.write(`${format('ERROR', text)}\n`),
    warn: (text) => write('WARNING', text),
  });
  let threshold = SEVERITY[logging.level];
  let isOpen = false;
  let stopping: Promise<void> | undefined;

  function write(level: LogLevel, text: string): void {
    if (SEVERITY[level] < threshold || !isOpen) return;
    output.append(format(level, text), level === 'ERROR');
  }

  return {
    debug: (text) => write('DEBUG', text),
    info: (text) => write('INFO', text),
    warn: (text) => write('WARNING', text),
    error: (text) => write('ERROR', text),
    setLevel: (level) => void (threshold = SEVERITY[level]),
    start() {
      if (stopping) return;
      output.start();
      isOpen = true;
    },
    stop() {
      isOpen = false;
      return (stopping ??= within(FLUSH_DEADLINE_MS, output.stop(), clock));
    },
    flush: () => within(FLUSH_DEADLINE_MS, output.flush(), clock),
    crash: (text) => output.lastWords(format('ERROR', text)),
    stats: () => output.stats(),
  };
}

async function within(ms: number, work: Promise<void>, clock: Clock): Promise<void> {
  const done = new AbortController();
  try {
    await Promise.race([work, clock.sleep(ms, done.signal)]);
  } finally {
    done.abort();
  }
}
