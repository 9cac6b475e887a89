import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A client that does with a connection what an HTTP client would not. */
export interface RawClient {
  readonly socket: Socket;
  /** What has been answered so far. */
  readonly text: () => string;
  readonly isClosed: () => boolean;
  readonly close: () => void;
}

/** `from`: its own address, for a client that is another peer than others. */
export async function rawClient(port: number, from = '127.0.0.1'): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  let [text, isClosed] = ['', false];
  socket
    .setEncoding('latin1')
    .on('data', (chunk: string) => (text += chunk))
    .on('error', () => undefined)
    .on('close', () => (isClosed = true));
  await once(socket, 'connect');
  return { socket, text: () => text, isClosed: () => isClosed, close: () => void socket.destroy() };
}

/** How many answers of HTTP/1.1 stand in the text. */
export function answersIn(text: string): number {
  return text.split('HTTP/1.1 ').length - 1;
}

export function requestsFor(path: string, count: number): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(count);
}
