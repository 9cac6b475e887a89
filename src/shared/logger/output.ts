/**
 * The two ends that finished lines go to:
 *
 *   line → batch → winston ─┬→ stdout
 *                           └→ DailyLogFile (winston-daily-rotate-file)
 */
import { appendFileSync, mkdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { reasonOf } from '../errors.js';
import type { Config } from '../config/config.js';
import type { Life } from '../life.js';
import type { Clock, Timer } from '../time/clock.js';
import { drained, ignoreErrors } from './console-stream.js';
import { DailyLogFile, FILE_MODE } from './daily-log-file.js';
import { createLineBatch, type LineBatch } from './line-batch.js';
import { localDate } from './line-format.js';
import { datedName, deleteExpired, pointLinkAt, setAside } from './log-folder.js';
import { MidnightWatch } from './midnight.js';
import { createPipeline, type Pipeline } from './pipeline.js';

interface OutputOptions {
  readonly logging: Config['logging'];
  /** True in one process per folder: it keeps the link to today's file and deletes old files. */
  readonly ownsRotation: boolean;
  readonly clock: Clock;
  /** Default: the process's own. */
  readonly stdout?: Writable | undefined;
  /** What the file cannot carry: straight to stderr. */
  readonly complain: (text: string) => void;
  /** What is good to know once the file can be written again. */
  readonly warn: (text: string) => void;
}

/** A file that was deleted or moved is noticed within it. */
const LOOK_MS = 1_000;

export class Output implements Life {
  readonly #options: OutputOptions;
  readonly #file: DailyLogFile;
  readonly #batch: LineBatch;
  readonly #midnight: MidnightWatch;
  #look: Timer | undefined;
  #stdout: Writable | undefined;
  #pipeline: Pipeline | undefined;
  #linkFailed = false;
  #asideFailed = false;
  #isLooking = false;
  #path: string | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: OutputOptions) {
    this.#options = options;
    const { logging, clock } = options;
    this.#file = new DailyLogFile({
      directory: logging.directory,
      fileName: logging.fileName,
      clock,
      onOpen: (path) => this.#tend(path),
      onGone: (path) => this.#tellGone(path),
      onTrouble: (error) => options.complain(error.message),
      onRecovery({ seconds, lost }) {
        options.warn(`Writing the log file works again after ${seconds} s; ${lost} lines were lost.`);
      },
    });
    this.#batch = createLineBatch(clock, (lines) => this.#pipeline?.write(lines));
    this.#midnight = new MidnightWatch(clock, () => this.#file.touch());
  }

  start(): void {
    if (this.#stdout || this.#stopping) return;
    this.#stdout = this.#options.stdout ?? process.stdout;
    [this.#stdout, process.stderr].forEach(ignoreErrors);
    this.#pipeline = createPipeline(this.#stdout, this.#file);
    if (this.#options.ownsRotation) this.#midnight.start();
    this.#look = this.#options.clock.every(LOOK_MS, () => void this.#lookOnce()).unref();
  }

  /** Resolves when all lines so far are where they belong. The caller bounds the time. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#end());
  }

  /** `urgent`: it does not wait for the end of this turn (line-batch.ts). */
  append(line: string, urgent: boolean): void {
    this.#batch.append(line, urgent);
  }

  /** Resolves when all lines so far are on disk and on the console. The caller bounds the time. */
  async flush(): Promise<void> {
    this.#batch.flush();
    await new Promise<void>((resolve) => setImmediate(resolve)); // winston's streams may pass an entry on one tick later
    await Promise.all([this.#file.idle(), this.#stdout && drained(this.#stdout)]);
  }

  /** Synchronous, to stderr and the file, with all that still waits. */
  lastWords(line: string): void {
    const unsent = this.#batch.take();
    const waiting = unsent === undefined ? [] : [unsent.text];
    attempt(() => writeSync(2, [...waiting, line, ''].join('\n')));
    attempt(() => {
      const { directory, fileName } = this.#options.logging;
      mkdirSync(directory, { recursive: true });
      const path = join(directory, datedName(fileName, localDate(this.#options.clock.wallNow())));
      appendFileSync(path, [...this.#file.take(), ...waiting, line, ''].join('\n'), { mode: FILE_MODE });
    });
  }

  stats(): { readonly dropped: number; readonly fileErrors: number } {
    const missedByConsole = this.#pipeline?.dropped() ?? 0;
    return { dropped: this.#file.dropped + missedByConsole, fileErrors: this.#file.errors };
  }

  async #end(): Promise<void> {
    this.#look?.cancel();
    await this.#midnight.stop();
    this.#batch.flush();
    await this.#pipeline?.end();
    await Promise.all([this.#file.stop(), this.#stdout && drained(this.#stdout)]);
  }

  /** On a folder that hangs each look holds one of Node's four threads for good, and the last ones are needed for names. */
  async #lookOnce(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    await this.#lookAtFile();
    this.#isLooking = false;
  }

  async #lookAtFile(): Promise<void> {
    const { logging, ownsRotation } = this.#options;
    const bytes = await this.#file.look();
    const path = this.#path;
    if (bytes === undefined || path === undefined || !ownsRotation || this.#stopping) return;
    this.#keepLink(path);
    const half = logging.maxDayBytes / 2;
    if (half === 0 || bytes < half) return;
    try {
      // another supervisor that shares the folder may have been first: the next look finds its new file
      if (!setAside(path, half)) return;
    } catch (error) {
      if (this.#asideFailed) return;
      this.#asideFailed = true;
      return this.#options.complain(`Cannot set ${path} aside, which is too large (LOG_MAX_SIZE): ${reasonOf(error)}`);
    }
    this.#asideFailed = false;
    this.#file.renew();
  }

  /** One process tells. Others notice as well, and follow. */
  #tellGone(path: string): void {
    if (!this.#options.ownsRotation) return;
    this.#options.warn(`The log file ${path} was deleted or moved while it was written to; it has been made again.`);
  }

  /** The day's file was opened. */
  #tend(path: string): void {
    const { logging, ownsRotation, clock } = this.#options;
    this.#path = path;
    if (!ownsRotation) return;
    this.#keepLink(path);
    const { directory, fileName, retentionDays } = logging;
    // a folder that cannot be read has been told of with the link
    attempt(() => void deleteExpired(directory, fileName, { date: localDate(clock.wallNow()), retentionDays }));
  }

  #keepLink(path: string): void {
    const { logging, clock, complain } = this.#options;
    try {
      pointLinkAt(path, logging.fileName, localDate(clock.wallNow()));
      this.#linkFailed = false;
    } catch (error) {
      if (!this.#linkFailed) {
        complain(`Cannot keep ${join(logging.directory, logging.fileName)} leading to ${path}: ${reasonOf(error)}`);
      }
      this.#linkFailed = true;
    }
  }
}

/** Where there is nobody left to tell, or nothing new to be told. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // the other place may still work, and the next day is another try
  }
}
