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
import { Writable } from 'node:stream';
import winston from 'winston';
import type { Clock } from '../clock.js';
import type { Config, LogLevel } from '../config/config.js';
import { reasonOf } from '../errors.js';
import type { Log } from '../log.js';
import { drained, ignoreErrors, isStalled } from './console-stream.js';
import { DailyLogFile } from './daily-log-file.js';
import { createLineBatch, type Batch } from './line-batch.js';
import { createLineFormat, localDate } from './line-format.js';
import { datedName, deleteExpired, pointLinkAt } from './log-folder.js';
import { watchMidnight } from './midnight.js';

export interface LoggerOptions {
  readonly logging: Config['logging'];
  /** The [worker-1] tag; `supervisor` in the primary. */
  readonly name: string;
  /** True in one process per folder: it keeps the link to today's file and deletes old files. */
  readonly ownsRotation: boolean;
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
const MESSAGE = Symbol.for('message'); // where winston's transports look for the finished text
const LEVEL = Symbol.for('level');
const FLUSH_DEADLINE_MS = 2_000;

/** What passes through winston: one entry for many lines. */
interface Entry {
  readonly level: 'info';
  readonly message: string;
  readonly lines: number;
  readonly [LEVEL]: 'info';
  readonly [MESSAGE]: string;
}

export function createLogger(options: LoggerOptions): Logger {
  const { logging, clock } = options;
  const stdout = options.stdout ?? process.stdout;
  [stdout, process.stderr].forEach(ignoreErrors);

  const format = createLineFormat({ format: logging.format, name: options.name, clock });
  const file = createFile(options, { warn: (text) => write('WARNING', text), complain });
  const console = createConsole(stdout);
  const pipeline = createPipeline(console.transport, file);
  const batch = createLineBatch(clock, ({ text, lines }) => {
    pipeline.write({ level: 'info', message: text, lines, [LEVEL]: 'info', [MESSAGE]: text } satisfies Entry);
  });
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
    await new Promise<void>((resolve) => pipeline.end(resolve));
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
    flush: () => within(FLUSH_DEADLINE_MS, onDisk()),
    close: () => (closing ??= within(FLUSH_DEADLINE_MS, shutDown())),
    crash: (text) => writeLastWords(format('ERROR', text), { unsent: batch.take(), file, options }),
    stats: () => ({ dropped: file.dropped + console.dropped(), fileErrors: file.errors }),
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

function createConsole(stdout: Writable): { transport: winston.transport; dropped(): number } {
  let dropped = 0;
  const unlessStalled = winston.format((entry) => {
    if (!isStalled(stdout)) return entry;
    dropped += (entry as unknown as Entry).lines;
    return false;
  });
  const transport = new winston.transports.Stream({ stream: stdout, eol: '\n', format: unlessStalled() });
  return { transport, dropped: () => dropped };
}

function createPipeline(console: winston.transport, file: DailyLogFile): winston.Logger {
  const toFile = new Writable({
    objectMode: true,
    write(entry: Entry, _encoding, callback) {
      file.append({ text: entry[MESSAGE], lines: entry.lines });
      callback();
    },
  });
  return winston.createLogger({
    format: winston.format((entry) => entry)(), // the lines come finished
    transports: [console, new winston.transports.Stream({ stream: toFile })],
    exitOnError: false,
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

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  try {
    await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
