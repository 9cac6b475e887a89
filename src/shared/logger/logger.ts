/**
 * The log of one process: to the console and to the day's file that all processes share.
 *
 *   line → level → formatted → batch → winston ─┬→ stdout
 *                                               └→ DailyLogFile (winston-daily-rotate-file)
 *
 * No failure of either end ends the process or holds up whoever logs.
 */
import { appendFileSync, mkdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Clock } from '../time/clock.js';
import type { Config, LogLevel } from '../config/config.js';
import { reasonOf } from '../errors.js';
import type { Log } from './log.js';
import { drained, ignoreErrors } from './console-stream.js';
import { DailyLogFile } from './daily-log-file.js';
import { createLineBatch, type Batch } from './line-batch.js';
import { createLineFormat, localDate } from './line-format.js';
import { datedName, deleteExpired, pointLinkAt } from './log-folder.js';
import { watchMidnight } from './midnight.js';
import { createPipeline } from './pipeline.js';

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

export interface Logger extends Log {
  setLevel(level: LogLevel): void;
  readonly isDebug: boolean;
  /** Resolves when all lines so far are on disk and on the console, or after 2 s. */
  flush(): Promise<void>;
  /** As flush, then lets go of the file. Lines logged afterwards are ignored. */
  close(): Promise<void>;
  /** Last words before an exit that cannot wait: synchronous, to stderr and the file, with what still waits. */
  crash(text: string): void;
  /** `dropped`: lines that reached the console or the file too late for its 16 MiB of memory. */
  stats(): { readonly dropped: number; readonly fileErrors: number };
}

const SEVERITY: Readonly<Record<LogLevel, number>> = { DEBUG: 0, INFO: 1, WARNING: 2, ERROR: 3 };
const FLUSH_DEADLINE_MS = 2_000;

export function createLogger(options: LoggerOptions): Logger {
  const { logging, clock } = options;
  const stdout = options.stdout ?? process.stdout;
  [stdout, process.stderr].forEach(ignoreErrors);

  const format = createLineFormat({ format: logging.format, name: options.name, clock });
  const file = createFile(options, { warn: (text) => write('WARNING', text), complain });
  const pipeline = createPipeline(stdout, file);
  const batch = createLineBatch(clock, (lines) => pipeline.write(lines));
  const midnight = options.ownsRotation ? watchMidnight(clock, () => file.touch()) : undefined;

  let threshold = SEVERITY[logging.level];
  let closing: Promise<void> | undefined;

  function write(level: LogLevel, text: string): void {
    if (SEVERITY[level] < threshold || closing !== undefined) return;
    batch.append(format(level, text), level === 'ERROR');
  }

  /** What the file cannot carry: straight to stderr. */
  function complain(text: string): void {
    process.stderr.write(`${format('ERROR', text)}\n`);
  }

  async function onDisk(): Promise<void> {
    batch.flush();
    await new Promise<void>((resolve) => setImmediate(resolve)); // winston's streams may pass an entry on one tick later
    await Promise.all([file.idle(), drained(stdout)]);
  }

  async function shutDown(): Promise<void> {
    midnight?.stop();
    batch.flush();
    await pipeline.end();
    await Promise.all([file.close(), drained(stdout)]);
  }

  return {
    debug: (text) => write('DEBUG', text),
    info: (text) => write('INFO', text),
    warn: (text) => write('WARNING', text),
    error: (text) => write('ERROR', text),
    setLevel: (level) => void (threshold = SEVERITY[level]),
    get isDebug() {
      return threshold === SEVERITY.DEBUG;
    },
    flush: () => within(FLUSH_DEADLINE_MS, onDisk(), clock),
    close: () => (closing ??= within(FLUSH_DEADLINE_MS, shutDown(), clock)),
    crash: (text) => writeLastWords(format('ERROR', text), { unsent: batch.take(), file, options }),
    stats: () => ({ dropped: file.dropped + pipeline.dropped(), fileErrors: file.errors }),
  };
}

interface Voices {
  readonly warn: (text: string) => void;
  readonly complain: (text: string) => void;
}

function createFile(options: LoggerOptions, { warn, complain }: Voices): DailyLogFile {
  const { logging, clock } = options;
  let linkFailed = false;
  return new DailyLogFile({
    directory: logging.directory,
    fileName: logging.fileName,
    clock,
    onOpen(path) {
      if (!options.ownsRotation) return;
      const date = localDate(clock.wallNow());
      try {
        pointLinkAt(path, logging.fileName, date);
        deleteExpired(logging.directory, logging.fileName, { date, retentionDays: logging.retentionDays });
        linkFailed = false;
      } catch (error) {
        if (!linkFailed) {
          complain(`Cannot keep ${join(logging.directory, logging.fileName)} leading to ${path}: ${reasonOf(error)}`);
        }
        linkFailed = true;
      }
    },
    onTrouble: (error) => complain(error.message),
    onRecovery({ seconds, lost }) {
      warn(`Writing the log file works again after ${seconds} s; ${lost} lines were lost.`);
    },
  });
}

interface LastWords {
  readonly unsent: Batch | undefined;
  readonly file: DailyLogFile;
  readonly options: LoggerOptions;
}

function writeLastWords(line: string, { unsent, file, options }: LastWords): void {
  const waiting = unsent === undefined ? [] : [unsent.text];
  attempt(() => writeSync(2, [...waiting, line, ''].join('\n')));
  attempt(() => {
    const { directory, fileName } = options.logging;
    mkdirSync(directory, { recursive: true });
    const path = join(directory, datedName(fileName, localDate(options.clock.wallNow())));
    appendFileSync(path, [...file.take(), ...waiting, line, ''].join('\n'));
  });
}

/** For last words only: there is nobody left to tell. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // the other place may still work
  }
}

async function within(ms: number, work: Promise<void>, clock: Clock): Promise<void> {
  const done = new AbortController();
  try {
    await Promise.race([work, clock.sleep(ms, done.signal)]);
  } finally {
    done.abort();
  }
}
