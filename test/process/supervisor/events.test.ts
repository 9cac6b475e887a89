import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';

import { useMainServer } from '../../support/main-server/main-server.js';
import { useProgram } from '../../support/program/program.js';
import { QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { startOperated } from '../fixtures/operated.js';

const redis = useRedis();
const main = useMainServer();
useProgram();
const sockets: Socket[] = [];
afterEach(() => sockets.splice(0).forEach((socket) => socket.destroy()));

/** Asks for the events and reads nothing but the first line. */
function greedy(where: { readonly port: number } | { readonly path: string }): Promise<string> {
  const socket = connect({ ...where, ...('port' in where ? { host: '127.0.0.1' } : {}) });
  sockets.push(socket);
  socket.on('error', () => undefined);
  socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return new Promise((resolve) =>
    socket.once('data', (chunk: Buffer) => {
      socket.pause();
      resolve(chunk.toString().split('\r\n')[0] ?? '');
    }),
  );
}

test('clients that take events and read none of them are few, and nobody waits for them', async () => {
  const operated = await startOperated({ redisPort: redis.port, mainServerUrl: main.server.url });
  await operated.untilReady();
  const { port, socketPath: path } = operated;
  const answers = await Promise.all([
    ...Array.from({ length: 15 }, () => greedy({ port })),
    ...Array.from({ length: 5 }, () => greedy({ path })),
  ]);
  expect(new Set(answers)).toEqual(new Set(['HTTP/1.1 200 OK']));
  const refused = await operated.ask('/events');
  expect(refused).toMatchObject({ status: 503, body: { error: '20 pages are open already; close one.' } });

  await redis.client.lpush(QUEUE, ...Array.from({ length: 200 }, (_, at) => JSON.stringify({ message_id: `m-${at}` })));
  await waitFor(() => main.server.ledger.delivered.size === 200, { what: 'all deliveries' });
  expect((await operated.ask('/status')).status).toBe(200);
  operated.program.signal('SIGTERM');
  expect(await operated.program.waitForExit()).toEqual({ code: 0, signal: null });
});
