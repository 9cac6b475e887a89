/** A TCP line of so many bytes a second in each direction, on 127.0.0.1. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

interface SlowLink {
  readonly port: number;
  /** When bytes passed last, performance.now() ms. */
  readonly movedAt: number;
  /** In both directions, so far. */
  readonly movedBytes: number;
  close(): void;
}

export async function startSlowLink(targetPort: number, bytesPerSecond: number): Promise<SlowLink> {
  const sockets = new Set<Socket>();
  const link = { port: 0, movedAt: performance.now(), movedBytes: 0, close };
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1');
    for (const socket of [client, target]) sockets.add(socket.on('error', () => undefined));
    void pass(client, target);
    void pass(target, client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  link.port = (server.address() as AddressInfo).port;
  return link;

  async function pass(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        await sleep((chunk.length / bytesPerSecond) * 1_000);
        link.movedAt = performance.now();
        link.movedBytes += chunk.length;
        to.write(chunk);
      }
    } catch {
      // the other end is ended below
    }
    to.destroy();
  }

  function close(): void {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}
