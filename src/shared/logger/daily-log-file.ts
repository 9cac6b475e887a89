/**
 * The file side: `<folder>/<base>-YYYY-MM-DD<ext>`, written and changed at midnight by winston-daily-rotate-file, which
 * any number of processes append to.
 *
 * The package alone would end the process at a write error, stay dead afterwards, lose lines at exit and queue without
 * bound when the disk stalls. So one batch at a time is given to it, each one write(2) with O_APPEND (which keeps the
 * lines of several writers whole), and the next only when that is on disk:
 *
 *   writing ──error──→ down ──5 s, then 10, 20, 30 s──→ writing
 *      └──more than 16 MiB waiting──→ overflowing (new lines are dropped and counted)
 *
 * Each second the owner has it look whether the name still leads to the file: one that was deleted or moved is made again.
 * What waits is kept while down. Trouble is reported once when it starts, and once when all that waited is written.
 *
 * Relies on winston-daily-rotate-file 5.0.0: its stream is `logStream`, which opens the next day's file when it is written
 * to, emits `open` and `error`, and does all it does to files through the `fs` in its options.
 * test/integration/logger/ would show if one of these changed.
 */
import type { Buffer } from 'node:buffer';
import fs from 'node:fs';
import { join } from 'node:path';
import DailyRotateFile from 'winston-daily-rotate-file';
import type { Clock, Timer } from '../time/clock.js';
import { reasonOf } from '../errors.js';
import type { Batch } from './line-batch.js';
import { LogFileError } from './log-file-error.js';
import { asideName, datedName } from './log-folder.js';
import { OpenedFile } from './opened-file.js';
import { MOST_WAITING_BYTES, WaitingLines } from './waiting-lines.js';

interface DailyLogFileOptions {
  readonly directory: string;
  /** `worker.log` gives `worker-2025-01-15.log`. */
  readonly fileName: string;
  readonly clock: Clock;
  /** The file was opened: the first one, the next day's, or again after a failure. */
  onOpen(path: string): void;
  onTrouble(error: LogFileError): void;
  /** The name led to another file or to none; the file has been made again. */
  onGone(path: string): void;
  onRecovery(outage: { readonly seconds: number; readonly lost: number }): void;
}

/** Where winston's transports look for the finished text. */
export const MESSAGE = Symbol.for('message');
/** Nobody but us and the group: lines hold what the main server answers. */
export const FILE_MODE = 0o640;
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 30_000;

/** It opens its file at the first line. */
export class DailyLogFile {
  readonly #options: DailyLogFileOptions;
  readonly #lines = new WaitingLines();
  #dropped = 0;
  #errors = 0;
  /** Undefined before the first line. */
  #path: string | undefined;
  #stopping: Promise<void> | undefined;
  #stopped = false;

  #transport: DailyRotateFile | undefined;
  #isOpen = false;
  /** A new one is due, as soon as what is being written is on disk. */
  #isStale = false;
  readonly #openedFile = new OpenedFile();
  #retry: Timer | undefined;
  #retryMs = FIRST_RETRY_MS;
  /** Monotonic time of the start of the trouble and what had been dropped by then. */
  #trouble: { readonly since: number; readonly droppedBefore: number } | undefined;
  readonly #idleWaiters: (() => void)[] = [];

  constructor(options: DailyLogFileOptions) {
    this.#options = options;
  }

  /** Lines that came too late, or when there was no room for them. */
  get dropped(): number {
    return this.#dropped;
  }

  get errors(): number {
    return this.#errors;
  }

  append(batch: Batch): void {
    if (this.#stopped) return void (this.#dropped += batch.lines);
    if (!this.#lines.append(batch)) {
      this.#enterTrouble(new LogFileError(`The log file ${this.#name()} takes lines too slowly; some are dropped.`));
      this.#dropped += batch.lines;
      return;
    }
    this.#pump();
  }

  /** Lets the package look at the date, so that a quiet midnight changes the file too. */
  touch(): void {
    const transport = this.#opened();
    if (transport === undefined) return;
    try {
      transport.logStream.write('');
    } catch (error) {
      this.#fail(transport, error);
    }
  }

  /** The file's size, as long as its name leads to it; one that was deleted or moved is made again. */
  async look(): Promise<number | undefined> {
    const transport = this.#transport;
    const path = this.#path;
    if (path === undefined || !this.#isOpen || this.#isStale) return undefined;
    const found = await this.#openedFile.look(path);
    const aside = found?.state === 'gone' ? await this.#openedFile.look(asideName(path)) : undefined;
    if (transport !== this.#transport || path !== this.#path || this.#stopped) return undefined;
    if (found?.state === 'ours') return found.bytes;
    if (found?.state === 'gone') {
      // set aside by whichever process keeps the folder: that is no news
      if (aside?.state !== 'ours') this.#options.onGone(path);
      this.renew();
    }
    return undefined;
  }

  /** Opens the file of today's name, which has come to be another one. */
  renew(): void {
    this.#isStale = this.#lines.writing !== undefined;
    if (this.#isStale) return;
    const former = this.#transport;
    this.#transport = undefined;
    this.#isOpen = false;
    former?.logStream.end(() => {});
    this.#opened();
  }

  /** Resolves when all that was appended is on disk, at once while the file cannot be written. */
  async idle(): Promise<void> {
    if (this.#lines.isEmpty || this.#retry !== undefined) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** One last try if the file is down. The caller bounds the time. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#end());
  }

  /**
   * What was not given to the operating system, for an exit that cannot wait. Nothing is to be appended afterwards.
   * A write under way is finished by its thread; while the file is being opened, no write is under way yet.
   */
  take(): string[] {
    const writing = this.#isOpen ? undefined : this.#lines.writing;
    const waiting = this.#lines.take().map(({ text }) => text);
    return writing === undefined ? waiting : [writing, ...waiting];
  }

  async #end(): Promise<void> {
    if (this.#retry !== undefined) {
      this.#dropRetry();
      this.#pump();
    }
    await this.idle();
    this.#dropRetry();
    this.#stopped = true;
    for (const { lines } of this.#lines.take()) this.#dropped += lines;
    const transport = this.#transport;
    this.#transport = undefined;
    if (transport === undefined) return;
    await new Promise<void>((resolve) => transport.logStream.end(() => resolve()));
  }

  #pump(): void {
    const transport = this.#lines.isEmpty ? undefined : this.#opened();
    const text = transport && this.#lines.next();
    if (transport === undefined || text === undefined) return;
    try {
      transport.log?.({ [MESSAGE]: text }, () => {});
    } catch (error) {
      this.#fail(transport, error); // the package makes the next day's folder in here
    }
  }

  #opened(): DailyRotateFile | undefined {
    if (this.#retry !== undefined || this.#stopped) return undefined;
    this.#transport ??= this.#open();
    return this.#transport;
  }

  #open(): DailyRotateFile | undefined {
    const { directory, fileName } = this.#options;
    try {
      const transport: DailyRotateFile = new DailyRotateFile({
        dirname: directory,
        filename: datedName(fileName, '%DATE%'),
        datePattern: 'YYYY-MM-DD',
        eol: '\n',
        // Without maxFiles the package keeps no audit file; log-folder.ts deletes by the date in the name.
        options: { flags: 'a', mode: FILE_MODE, fs: this.#observedFs(() => transport) },
      });
      transport.on('new', (path: string) => {
        this.#path = path;
        this.#isOpen = false;
      });
      transport.logStream.on('open', () => {
        if (!this.#isCurrent(transport)) return;
        this.#isOpen = true;
        this.#options.onOpen(this.#name());
      });
      transport.logStream.on('error', (error) => this.#fail(transport, error));
      return transport;
    } catch (error) {
      this.#fail(undefined, error);
      return undefined;
    }
  }

  /** The package ignores the answers to its writes; this is how we learn of them. Without writev, a batch is a write. */
  #observedFs(transport: () => DailyRotateFile): object {
    const write: typeof fs.write = ((...args: [...WriteArguments, WriteCallback]) => {
      const callback = args[5];
      fs.write(args[0], args[1], args[2], args[3], args[4], (error, written, buffer) => {
        callback(error, written, buffer);
        if (error === null && this.#isCurrent(transport())) this.#progress(written);
      });
    }) as typeof fs.write;
    return { open: this.#openedFile.open, close: fs.close, write };
  }

  #isCurrent(transport: DailyRotateFile): boolean {
    return this.#transport === transport;
  }

  #progress(bytes: number): void {
    if (!this.#lines.progress(bytes)) return;
    this.#retryMs = FIRST_RETRY_MS;
    if (this.#isStale) this.renew();
    this.#pump();
    if (!this.#lines.isEmpty) return;
    this.#leaveTrouble();
    this.#release();
  }

  #fail(transport: DailyRotateFile | undefined, error: unknown): void {
    if (transport !== this.#transport) return; // late news of one that was given up
    this.#errors += 1;
    this.#transport = undefined;
    this.#isOpen = false;
    this.#isStale = false;
    this.#lines.putBack();
    transport?.logStream.end(() => {}); // its callback also gets the error of ending a dead stream
    this.#enterTrouble(
      new LogFileError(
        `Cannot write the log file ${this.#name()} (${reasonOf(error)}). Look at the free space and the permissions of ` +
          `the folder (LOG_FILE_PATH). Messages are delivered all the same; lines wait in memory up to ${MOST_WAITING_BYTES / 2 ** 20} MiB.`,
        { cause: error },
      ),
    );
    this.#retry = this.#options.clock
      .after(this.#retryMs, () => {
        this.#retry = undefined;
        this.#pump();
      })
      .unref();
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    this.#release();
  }

  #enterTrouble(error: LogFileError): void {
    if (this.#trouble !== undefined) return;
    this.#trouble = { since: this.#options.clock.now(), droppedBefore: this.#dropped };
    this.#options.onTrouble(error);
  }

  #leaveTrouble(): void {
    if (this.#trouble === undefined) return;
    const { since, droppedBefore } = this.#trouble;
    this.#trouble = undefined;
    this.#options.onRecovery({
      seconds: Math.round((this.#options.clock.now() - since) / 1000),
      lost: this.#dropped - droppedBefore,
    });
  }

  #dropRetry(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  #release(): void {
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #name(): string {
    return this.#path ?? join(this.#options.directory, this.#options.fileName);
  }
}

type WriteArguments = [fd: number, buffer: Buffer, offset: number, length: number, position: number | null];
type WriteCallback = (error: NodeJS.ErrnoException | null, written: number, buffer: Buffer) => void;
