/**
 * Reaches into undici's sockets: undici writes the head and the body of a request in two parts between `cork` and `uncork`,
 * and Node's way to join them (writev, one entry for each part, copied again for TLS) takes 2 of 60 µs per message. Here
 * what is written while the socket is corked goes to the kernel as one Buffer.
 *
 * Relies on undici 7.30: it corks, writes the head as a latin1 string and the body as bytes, uncorks, and looks at nothing
 * that `write` returns in between. test/integration/delivery/one-write.test.ts counts the parts with and without this file;
 * once undici joins them itself, the file can go.
 */
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';

/** Its sockets hand what is written while they are corked to the kernel as one Buffer. */
export function withOneWrite(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      const [, socket] = result;
      if (socket) joinCorkedWrites(socket);
      callback(...result);
    });
}

function joinCorkedWrites(socket: Socket): void {
  const write = socket.write.bind(socket) as (data: string | Uint8Array, encoding?: BufferEncoding) => boolean;
  let parts: Uint8Array[] | undefined;

  socket.cork = () => void (parts ??= []);
  socket.uncork = () => {
    const joined = parts;
    parts = undefined;
    if (joined && joined.length > 0) write(Buffer.concat(joined));
  };
  socket.write = ((data: string | Uint8Array, encoding?: BufferEncoding) => {
    if (!parts) return write(data, encoding);
    parts.push(typeof data === 'string' ? Buffer.from(data, encoding) : data);
    return !socket.writableNeedDrain;
  }) as Socket['write'];
}
