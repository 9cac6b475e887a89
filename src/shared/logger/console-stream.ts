import type { Writable } from 'node:stream';

/** Bytes that may wait for a reader of stdout that has stopped reading. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

const guarded = new WeakSet<Writable>();

/** A reader that went away (EPIPE) must not end the process; what it would have read is in the file. */
export function ignoreErrors(stream: Writable): void {
  if (guarded.has(stream)) return;
  guarded.add(stream);
  stream.on('error', () => {});
}

export function isStalled(stream: Writable): boolean {
  return stream.writableLength > MAX_WAITING_BYTES;
}

/** Resolves when the stream took all that was written to it before, or will take no more. The caller bounds the time. */
export async function drained(stream: Writable): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed || stream.writableEnded) return;
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
