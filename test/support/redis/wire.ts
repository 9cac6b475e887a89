/** A TCP proxy that looks at what passes: whether anything is said in plain text. */
import { startTcpProxy } from '../tcp-proxy.js';

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

/** Leads nowhere until it is told where. */
export async function startWire(): Promise<Wire> {
  const said: Buffer[] = [];
  const proxy = await startTcpProxy(0, {
    passageOf: () => {
      const index = said.push(Buffer.alloc(0)) - 1;
      return {
        request: (bytes) => {
          const before = said[index] ?? Buffer.alloc(0);
          if (before.length < KEPT_BYTES) said[index] = Buffer.concat([before, bytes]);
          return bytes;
        },
      };
    },
  });
  const spoken = () => said.filter(({ length }) => length > 0);
  return {
    port: proxy.port,
    get spoken() {
      return spoken().length;
    },
    get plain() {
      return spoken()
        .filter((bytes) => bytes[0] !== HANDSHAKE)
        .map((bytes) => bytes.toString('latin1'));
    },
    leadTo: (port) => proxy.leadTo(port),
    close: () => proxy.close(),
  };
}
