/**
 * A process of its own that floods ports: `node flooder.js KIND PORT…` on 127.0.0.1, until it is ended or its parent has gone.
 * A connection that is closed is opened again.
 */
import { connect, type Socket } from 'node:net';

const PATHS = ['/metrics', '/metrics/workers', '/status', '/health', '/ready', '/', '/dead'];
const REOPEN_MS = 5;

interface Flood {
  /** Of each port, at a time. */
  readonly connections: number;
  readonly use: (socket: Socket, requests: string) => void;
}

const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

const FLOODS: Readonly<Record<string, Flood>> = {
  pipelines: {
    connections: 20,
    use: (socket, requests) => {
      const write = (): void => {
        while (socket.writable && socket.write(requests));
      };
      socket.on('data', () => undefined).on('drain', write);
      write();
    },
  },
  storm: {
    connections: 50,
    use: (socket, requests) => {
      socket.write(requests.slice(0, requests.indexOf('\r\n\r\n') + 4));
      socket.once('data', () => socket.destroy());
    },
  },
  'slow-readers': {
    connections: 110,
    use: (socket, requests) => {
      socket.pause();
      socket.write(requests);
    },
  },
  silence: { connections: 1_000, use: (socket) => void socket.resume() },
};

function hold(flood: Flood, port: number, index: number): void {
  const requests = request(PATHS[index % PATHS.length] ?? '/').repeat(2_000);
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined).on('close', () => setTimeout(hold, REOPEN_MS, flood, port, index));
  socket.once('connect', () => flood.use(socket, requests));
}

const [kind = '', ...ports] = process.argv.slice(2);
const flood = FLOODS[kind];
if (flood === undefined) throw new Error(`There is no flood ${kind}`);
process.on('disconnect', () => process.exit());
for (const port of ports) for (let index = 0; index < flood.connections; index += 1) hold(flood, Number(port), index);
