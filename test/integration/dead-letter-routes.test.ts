/** Lists of dead letters that nobody waits for. Anybody may ask for one, and hang up. */
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/shared/time/clock.js';
import { createFront } from '../../supervisor/admin/front.js';
import { ROUTES } from '../../supervisor/admin/protocol.js';
import type { Answer } from '../../supervisor/admin/route.js';
import { deadLetterRoutes } from '../../supervisor/admin/routes/dead-letters.js';
import { testConfig } from '../support/program/config.js';
import { useRedis } from '../support/redis/redis.js';
import { waitFor } from '../support/wait-for.js';
import { recordedLog } from '../unit/supervisor/recorded-log.js';

const redis = useRedis();

/** Connections that Redis has taken in all. */
async function connectionsTaken(): Promise<number> {
  return Number(/total_connections_received:(\d+)/.exec(await redis.client.info('stats'))?.[1]);
}

test('of 300 lists whose clients have hung up none is made, and the next one is', async () => {
  const routes = deadLetterRoutes(() => testConfig({ redis: { port: redis.port } }), systemClock);
  const list = routes.find(({ path, method }) => path === ROUTES.deadLetters.path && method === 'GET');
  const ask = (signal: AbortSignal) =>
    list?.answer({ params: {}, fields: { reason: 'poison' }, signal }) as Promise<Answer>;
  const before = await connectionsTaken();
  const abandoned = await Promise.allSettled(Array.from({ length: 300 }, () => ask(AbortSignal.abort())));
  expect(new Set(abandoned.map(({ status }) => status))).toEqual(new Set(['rejected']));
  expect(await connectionsTaken()).toBe(before);
  expect(await ask(new AbortController().signal)).toMatchObject({ status: 200, body: { total: 0 } });
});

test('a client that hangs up aborts what is done for it', async () => {
  let signal: AbortSignal | undefined;
  const server = createFront({
    routes: [
      {
        method: 'GET',
        path: '/slow',
        access: 'open',
        answer: (request) => {
          signal = request.signal;
          return new Promise<Answer>((resolve) => {
            request.signal.addEventListener('abort', () => resolve({ status: 200, body: '' }));
          });
        },
      },
    ],
    check: () => undefined,
    log: recordedLog(),
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await waitFor(() => signal !== undefined, { what: 'the request' });
  expect(signal?.aborted).toBe(false);
  client.destroy();
  await waitFor(() => signal?.aborted === true, { what: 'the abort' });
  server.close();
});
