/** Lists of dead letters that nobody waits for. Anybody may ask for one, and hang up. */
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { redisKeys } from '../../src/queue/keys.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { createFront } from '../../supervisor/admin/front.js';
import { ROUTES } from '../../supervisor/admin/protocol.js';
import type { Answer } from '../../supervisor/admin/route.js';
import { deadLetterRoutes } from '../../supervisor/admin/routes/dead-letters.js';
import { testConfig } from '../support/program/config.js';
import { QUEUE } from '../support/redis/queue.js';
import { useRedis } from '../support/redis/redis.js';
import { waitFor } from '../support/wait-for.js';
import { recordedLog } from '../unit/supervisor/recorded-log.js';

const redis = useRedis();
const NOBODY = { who: '', where: '' };

test('a list whose client has hung up ends at its next step', async () => {
  const { deadIndex } = redisKeys(QUEUE);
  const lines = Array.from({ length: 10_000 }, (_, at) => [at, `0123456789ab-${at} malformed m${at}  `] as const);
  await redis.client.zadd(deadIndex, ...lines.flat());
  const config = () => testConfig({ redis: { port: redis.port } });
  const routes = deadLetterRoutes({ config, clock: systemClock, audit: { note: async () => undefined } });
  const list = routes.find(({ path, method }) => path === ROUTES.deadLetters.path && method === 'GET');
  const ask = (isAbandoned: () => boolean) =>
    list?.answer({ params: {}, fields: { reason: 'poison' }, by: NOBODY, isAbandoned }) as Promise<Answer>;
  expect(await ask(() => true)).toMatchObject({ body: { total: 10_000, looked_at: 2_000, has_more: true } });
});

test('a client that hangs up is known to have done so while its answer is made', async () => {
  let isAbandoned: (() => boolean) | undefined;
  const end = new AbortController();
  const server = createFront({
    routes: [
      {
        method: 'GET',
        path: '/slow',
        access: 'open',
        answer: (request) => {
          isAbandoned = request.isAbandoned;
          return once(end.signal, 'abort').then((): Answer => ({ status: 200, body: '' }));
        },
      },
    ],
    check: () => undefined,
    operatorOf: () => NOBODY,
    limits: { perPeer: 10, inAll: 10, perSecond: 100 },
    pageEveryMs: 250,
    log: recordedLog(),
    clock: systemClock,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await waitFor(() => isAbandoned !== undefined, { what: 'the request' });
  expect(isAbandoned?.()).toBe(false);
  client.destroy();
  await waitFor(() => isAbandoned?.() === true, { what: 'the hang-up' });
  end.abort();
  server.close();
});
