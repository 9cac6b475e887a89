import type { Socket } from 'node:net';

/** Node's handle of an open socket; of a TLS socket it wraps the handle of the TCP socket. */
interface Handle {
  reset(closed: () => void): number;
  close(closed: () => void): void;
}

/**
 * When `socket` is destroyed next, its connection is reset: what the kernel holds of our bytes is dropped, where a close
 * would go on sending it for as long as the network lets it. Not after the end: bytes that have arrived.
 *
 * `resetAndDestroy` refuses TLS sockets (Node 20 to 26), so the close of the TCP handle below is replaced.
 */
export function endByReset(socket: Socket): void {
  const outer: unknown = Reflect.get(socket, '_handle');
  const handle = (isObject(outer) && '_parent' in outer && outer._parent) || outer;
  if (!isHandle(handle)) return;
  const reset = handle.reset.bind(handle);
  handle.close = (closed) => void reset(closed);
}

function isHandle(value: unknown): value is Handle {
  return isObject(value) && 'reset' in value && typeof value.reset === 'function';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
