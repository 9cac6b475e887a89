import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { startTcpProxy } from '../tcp-proxy.js';

/** A server of plain bytes, for answers that no HTTP library would give. */
export interface RawServer {
  readonly url: string;
  /** How each connection ended, in order: 'end' (closed in order) or the code of an error. */
  readonly ends: readonly string[];
  /** All that came, as text. */
  readonly heard: readonly string[];
  close(): Promise<void>;
}

/** `onRequest` is called once a request with its body is complete. */
export async function startRawServer(onRequest: (socket: Socket, request: string) => void): Promise<RawServer> {
  const heard: string[] = [];
  const { port, ends, close } = await listen((socket) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
      const length = Number(/content-length: (\d+)/.exec(text)?.[1] ?? 0);
      const bodyAt = text.indexOf('\r\n\r\n') + 4;
      if (bodyAt < 4 || text.length < bodyAt + length) return;
      heard.push(text);
      const request = text;
      text = '';
      onRequest(socket, request);
    });
  });
  return { url: `http://127.0.0.1:${port}`, ends, heard, close };
}

/** Hands all bytes on, and notes how its clients ended: a TLS server does not tell a reset from an end. */
export async function startRelay(targetPort: number): Promise<Listening> {
  const ends: string[] = [];
  const proxy = await startTcpProxy(targetPort, {
    passageOf: (client) => {
      noteEnd(client, ends);
      return {};
    },
  });
  return { port: proxy.port, ends, close: () => proxy.close() };
}

function noteEnd(client: Socket, ends: string[]): void {
  client.on('end', () => ends.push('end'));
  client.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? error.message));
}

interface Listening {
  readonly port: number;
  readonly ends: readonly string[];
  close(): Promise<void>;
}

async function listen(onSocket: (socket: Socket) => void): Promise<Listening> {
  const ends: string[] = [];
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    noteEnd(socket, ends);
    socket.on('close', () => open.delete(socket));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    ends,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
