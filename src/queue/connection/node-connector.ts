/**
 * Opens the sockets to the nodes of a cluster and to Sentinels. The client keeps what went wrong with one of these to
 * itself, and says "Connection is closed." in its place; this one tells it.
 */
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';

type Connector = NonNullable<RedisOptions['Connector']>;
/** What ended an attempt to connect to it. */
export type ToldOfNode = (error: Error, node: { readonly host: string; readonly port: number }) => void;

export function tellingConnector(tell: ToldOfNode): Connector {
  return class extends AbstractConnector {
    readonly #options: RedisOptions;

    constructor(options: unknown) {
      const given = options as RedisOptions;
      super(given.disconnectTimeout ?? 0);
      this.#options = given;
    }

    // async: what it throws is a failed attempt to connect
    override async connect(): Promise<Socket> {
      const { host = 'localhost', port = 6_379, family, tls } = this.#options;
      const where = { host, port, ...(family ? { family } : {}) };
      this.connecting = true;
      // the name goes into the handshake and is what the certificate must name
      const stream: Socket = tls ? connectTls({ ...where, ...tls }) : connectPlain(where);
      stream.once('error', (error: Error) => {
        this.firstError = error;
        tell(error, where);
      });
      this.stream = stream;
      return stream;
    }
  };
}
