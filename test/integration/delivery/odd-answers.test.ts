/** Answers that HTTP allows and few servers give: taken for a failure, each would be delivered again for ever. */
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { useClients, within } from '../../support/main-server/delivery.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { startRawServer, type RawServer } from '../../support/main-server/raw-server.js';
import { HANGS_MS, waitFor } from '../../support/wait-for.js';

expectNoLeftovers();
const clients = useClients();
const never = new AbortController().signal;
const servers: RawServer[] = [];
afterEach(async () => void (await Promise.all(servers.splice(0).map((server) => server.close()))));

async function answering(answer: (socket: Socket) => void) {
  const server = await startRawServer((socket) => answer(socket));
  servers.push(server);
  return clients.create(server.url, { overrides: { worker: { concurrency: 1 } } });
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const manyHeaders = (bytes: number) =>
  `HTTP/1.1 200 OK\r\n${Array.from({ length: bytes / 1_000 }, (_, at) => `x-${at}: ${'v'.repeat(990)}\r\n`).join('')}content-length: 2\r\n\r\nok`;

describe.each([
  ['an unasked 100 Continue', CONTINUE + OK],
  ['five of them', CONTINUE.repeat(5) + OK],
  ['100 without a reason', 'HTTP/1.1 100\r\n\r\n' + OK],
  ['100 with headers', 'HTTP/1.1 100 Continue\r\nserver: x\r\ndate: today\r\n\r\n' + OK],
  ['102 and 103', 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n' + OK],
  ['20 KB of headers', manyHeaders(20_000)],
  ['64 KB of headers', manyHeaders(64_000)],
  ['a cookie of 60 KB', `HTTP/1.1 200 OK\r\nset-cookie: ${'c'.repeat(60_000)}\r\ncontent-length: 2\r\n\r\nok`],
  ['no reason', 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n'],
  ['an empty reason', 'HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n'],
  ['a long reason', `HTTP/1.1 200 ${'very '.repeat(2_000)}OK\r\ncontent-length: 0\r\n\r\n`],
  ['latin1 in a header', 'HTTP/1.1 200 OK\r\nx-name: M\xfcller\r\ncontent-length: 0\r\n\r\n'],
  ['empty headers', 'HTTP/1.1 200 OK\r\nx-nothing:\r\ncontent-length:0\r\n\r\n'],
  [
    'chunks with extensions and trailers',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2;q="1"\r\nok\r\n0\r\nx-sum: 1\r\n\r\n',
  ],
  [
    'an offer to upgrade',
    'HTTP/1.1 200 OK\r\nupgrade: h2c\r\nconnection: Upgrade, Keep-Alive\r\ncontent-length: 2\r\n\r\nok',
  ],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok'],
  ['a short Keep-Alive', 'HTTP/1.1 200 OK\r\nkeep-alive: timeout=1, max=1\r\ncontent-length: 2\r\n\r\nok'],
  ['204 with a length', 'HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n'],
  ['205', 'HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n'],
  ['more than its length says', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok and more'],
])('%s', (_, bytes) => {
  it('is a delivery, in one piece, and so is the next one', async () => {
    const client = await answering((socket) => socket.write(bytes, 'latin1'));
    expect((await client.deliver('a', never)).kind).toBe('delivered');
    expect((await client.deliver('b', never)).kind).toBe('delivered');
  });

  it('is a delivery byte by byte', async () => {
    const client = await answering((socket) => {
      socket.setNoDelay(true);
      const pieces = bytes.length > 1_000 ? (bytes.match(/.{1,1500}/gs) ?? []) : [...bytes];
      const next = () => {
        const piece = pieces.shift();
        if (piece !== undefined) socket.write(piece, 'latin1', () => setImmediate(next));
      };
      next();
    });
    expect((await client.deliver('a', never)).kind).toBe('delivered');
  });
});

it.each(['', 'transfer-encoding: identity\r\n', 'connection: close\r\n'])(
  'a body that ends with the connection is a delivery (%j)',
  async (headers) => {
    const client = await answering((socket) => socket.end(`HTTP/1.1 200 OK\r\n${headers}\r\nok`));
    expect((await client.deliver('a', never)).kind).toBe('delivered');
    expect((await client.deliver('b', never)).kind).toBe('delivered');
  },
);

it('an interim answer alone is none', async () => {
  const client = await answering((socket) => socket.end(CONTINUE));
  expect(await client.deliver('a', never)).toMatchObject({ kind: 'failed', reason: 'connection_reset' });
});

it('a failure after an interim answer is that failure', async () => {
  const client = await answering((socket) => socket.write(`${CONTINUE}HTTP/1.1 422 No\r\ncontent-length: 2\r\n\r\nno`));
  expect(await client.deliver('a', never)).toMatchObject({ reason: 'http_422', detail: 'no' });
});

it('a status may be answered so as well', async () => {
  const client = await answering((socket) => socket.write(CONTINUE + OK));
  const update = { status: 'queued', attemptCount: 1, errorMessage: 'x' } as const;
  expect((await client.updateStatus('a', update, within(HANGS_MS), never)).kind).toBe('delivered');
  expect(await client.probe()).toBe('reachable');
});

it('a socket on which more came than was asked for is not used again', async () => {
  const client = await answering((socket) => socket.write(`${OK}${OK}`));
  expect((await client.deliver('a', never)).kind).toBe('delivered');
  await waitFor(() => servers[0]?.ends.length === 1, { what: 'the end of that socket' });
  expect((await client.deliver('b', never)).kind).toBe('delivered');
});
