import { Buffer } from 'node:buffer';
import type { Batch } from './line-batch.js';

interface Waiting {
  text: string;
  bytes: number;
  lines: number;
}

/** Bytes that may wait for a file that cannot be written. */
export const MOST_WAITING_BYTES = 16 * 1024 * 1024;
const MAX_WRITE_BYTES = 64 * 1024;

/**
 * Lines on their way to the disk, in order: those that wait, gathered to writes of 64 KiB, and before them the one batch
 * that is being written.
 */
export class WaitingLines {
  readonly #queue: Waiting[] = [];
  /** With those being written. */
  #bytes = 0;
  #writing: (Waiting & { written: number }) | undefined;

  /** False = there is no room for them. */
  append(batch: Batch): boolean {
    const bytes = Buffer.byteLength(batch.text) + 1;
    if (this.#bytes + bytes > MOST_WAITING_BYTES) return false;
    this.#bytes += bytes;
    const last = this.#queue.at(-1);
    if (last !== undefined && last.bytes + bytes <= MAX_WRITE_BYTES) {
      last.text += `\n${batch.text}`;
      last.bytes += bytes;
      last.lines += batch.lines;
    } else {
      this.#queue.push({ ...batch, bytes });
    }
    return true;
  }

  /** The text to be written now; undefined when nothing waits, or something is being written. */
  next(): string | undefined {
    if (this.#writing !== undefined) return undefined;
    const next = this.#queue.shift();
    if (next === undefined) return undefined;
    this.#writing = { ...next, written: 0 };
    return next.text;
  }

  /** So many bytes more of what is being written are on disk. True = all of it is. */
  progress(bytes: number): boolean {
    if (this.#writing === undefined) return false;
    this.#writing.written += bytes;
    if (this.#writing.written < this.#writing.bytes) return false;
    this.#bytes -= this.#writing.bytes;
    this.#writing = undefined;
    return true;
  }

  /**
   * What is being written waits again, before all else. A full disk may have taken a part: what is missing starts with the
   * line that was cut, on a line of its own.
   */
  putBack(): void {
    const batch = this.#writing;
    this.#writing = undefined;
    if (batch === undefined) return;
    const bytes = Buffer.from(batch.text);
    const cut = batch.written === 0 ? 0 : bytes.lastIndexOf('\n', batch.written - 1) + 1;
    const missing = bytes.subarray(cut).toString();
    const text = batch.written > cut ? `\n${missing}` : missing;
    const left = { text, bytes: Buffer.byteLength(text) + 1, lines: text.trimStart().split('\n').length };
    this.#bytes += left.bytes - batch.bytes;
    this.#queue.unshift(left);
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0 && this.#writing === undefined;
  }

  /** The text that is being written. */
  get writing(): string | undefined {
    return this.#writing?.text;
  }

  /** All that waits; it waits no more. */
  take(): readonly Batch[] {
    const all = this.#queue.splice(0);
    for (const { bytes } of all) this.#bytes -= bytes;
    return all;
  }
}
