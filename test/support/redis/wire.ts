/** A TCP proxy that looks at what passes: whether anything is said in plain text. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

const HOST = '127.0.0.1';
/** TLS: https://www.rfc-editor.org/rfc/rfc8446#section-5.1, a record of the handshake. */
const HANDSHAKE = 0x16;
const KEPT_BYTES = 65_536;

export interface Wire {
  readonly port: number;
  /** Connections over which something was said. */
  readonly spoken: number;
  /** What was said on those that did not begin with a handshake. */
  readonly plain: readonly string[];
  leadTo(port: number): void;
  close(): Promise<void>;
}

export async function startWire(): Promise<Wire> {
  let target = 0;
  const said: Buffer[] = [];
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const other = connect({ port: target, host: HOST });
    const index = said.push(Buffer.alloc(0)) - 1;
    client.on('data', (bytes) => {
      const before = said[index] ?? Buffer.alloc(0);
      if (before.length < KEPT_BYTES) said[index] = Buffer.concat([before, bytes]);
      other.write(bytes);
    });
    other.on('data', (bytes) => client.write(bytes));
    for (const [from, to] of [
      [client, other],
      [other, client],
    ] as const) {
      open.add(from);
      from.on('error', () => undefined);
      from.once('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const spoken = () => said.filter(({ length }) => length > 0);
  return {
    port: (server.address() as AddressInfo).port,
    get spoken() {
      return spoken().length;
    },
    get plain() {
      return spoken()
        .filter((bytes) => bytes[0] !== HANDSHAKE)
        .map((bytes) => bytes.toString('latin1'));
    },
    leadTo: (port) => void (target = port),
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}
