import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Producers of somebody else: plain sockets that named themselves, and send nothing more. */
export async function clientsOfOthers(
  port: number,
  count: number,
  undo: (close: () => Promise<unknown>) => void,
): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (let number = 0; number < count; number++) {
    const socket = connect({ port, host: '127.0.0.1' });
    undo(async () => socket.destroy());
    await once(socket, 'connect');
    socket.write('CLIENT SETNAME producer\r\n');
    await once(socket, 'data');
    socket.on('error', () => undefined).resume();
    sockets.push(socket);
  }
  return sockets;
}
