/**
 * Reaches into undici's sockets: undici writes the head and the body of a request in two parts between `cork` and `uncork`,
 * and Node's way to join them (writev, one entry for each part, copied again for TLS) takes 2 of 60 µs per message. Here
 * what is written while the socket is corked goes to the kernel as one Buffer. That makes one place right before it where
 * a request that is late can be kept back.
 *
 * Relies on undici 7.30: it corks, writes the head as a latin1 string and the body as bytes, uncorks, and looks at nothing
 * that `write` returns in between. test/integration/delivery/one-write.test.ts counts the parts with and without this file.
 */
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';

/**
 * From now on `socket` hands what is written while it is corked to the kernel as one Buffer. What `mayLeave`, asked
 * immediately before, forbids is not written: the socket ends with an error in its place.
 */
export function joinWrites(socket: Socket, mayLeave: () => boolean): void {
  const write = socket.write.bind(socket) as (data: string | Uint8Array, encoding?: BufferEncoding) => boolean;
  let parts: (string | Uint8Array)[] | undefined;
  const leave = (data: string | Uint8Array, encoding?: BufferEncoding): boolean => {
    if (mayLeave()) return write(data, encoding);
    socket.destroy(new LateRequestError());
    return false;
  };

  socket.cork = () => void (parts ??= []);
  socket.uncork = () => {
    const joined = parts;
    parts = undefined;
    if (joined && joined.length > 0) leave(bytesOf(joined));
  };
  socket.write = ((data: string | Uint8Array, encoding?: BufferEncoding) => {
    if (!parts) return leave(data, encoding);
    parts.push(typeof data === 'string' && encoding !== 'latin1' ? Buffer.from(data, encoding) : data);
    return !socket.writableNeedDrain;
  }) as Socket['write'];
}

/** Of strings each unit is one byte. */
function bytesOf(parts: readonly (string | Uint8Array)[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const part of parts) {
    if (typeof part === 'string') bytes.write(part, at, 'latin1');
    else bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

class LateRequestError extends Error {
  override readonly name = 'LateRequestError';
  readonly code = 'ETIMEDOUT';

  constructor() {
    super('too late to be sent');
  }
}
