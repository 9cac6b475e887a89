/** Held or in flight: only the worker can tell, and the commands ask the supervisor, which asks it. */
import { afterEach, expect, test } from 'vitest';

import { redisKeys } from '../../../src/queue/keys.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { useProgram } from '../../support/program/program.js';
import { QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { repeat, waitFor, type Repetition } from '../../support/wait-for.js';
import { startOperated } from '../fixtures/operated.js';

const redis = useRedis();
const main = useMainServer();
useProgram();
const keys = redisKeys(QUEUE);
const ELSEWHERE = 'worker-9@host-z/0a1b.7.n1';

let renewal: Repetition | undefined;
afterEach(() => renewal?.stop());

interface Shown {
  readonly place: string;
  readonly begun: boolean | null;
  readonly message_id: string;
}

test('of a claimed message its worker says whether it is begun; of one on another host nobody does', async () => {
  main.server.faults.post.hang = true;
  const env = { WORKER_COUNT: '1', WORKER_CONCURRENCY: '4' };
  const operated = await startOperated({ redisPort: redis.port, mainServerUrl: main.server.url, env });
  await operated.untilReady();
  // its lease would be over 13 s after it stood still
  renewal = repeat(async () => void (await redis.client.zadd(keys.consumers, Date.now() + 13_000, ELSEWHERE)), 1_000);
  await redis.client.lpush(keys.processing(ELSEWHERE), '{"message_id":"elsewhere"}');
  // the second copy waits in hand for the first
  await redis.client.lpush(QUEUE, '{"message_id":"twice"}', '{"message_id":"twice","copy":2}', '{"message_id":"once"}');
  const listed = () => operated.command('message', 'list', '--in', 'in-flight', '--json');
  const shown = await waitFor(
    async () => {
      const { messages } = JSON.parse((await listed()).out) as { readonly messages: readonly Shown[] };
      return messages.length === 4 && messages;
    },
    { what: 'all to be claimed' },
  );
  expect(shown.map(({ message_id: id, place, begun }) => [id, place, begun]).sort()).toEqual([
    ['elsewhere', 'in_flight', null],
    ['once', 'in_flight', true],
    ['twice', 'held', false],
    ['twice', 'in_flight', true],
  ]);
  const twice = await operated.command('message', 'show', 'twice');
  expect(twice.out).toMatch(/^twice is held by worker-1 on .*, its delivery has not begun\.$/m);
  expect(twice.out).toMatch(/^twice is in flight on worker-1 on /m);
  expect((await operated.command('message', 'show', 'elsewhere')).out).toContain(
    'elsewhere is claimed by worker-9 on host-z.',
  );
  const answer = await operated.ask('/messages/twice', { socket: true });
  expect((answer.body['places'] as Shown[]).map(({ place }) => place).sort()).toEqual(['held', 'in_flight']);
  const table = (await operated.command('message', 'list', '--in', 'in-flight')).out;
  expect(table).toMatch(/^held +worker-1/m);
  expect(table).toMatch(/^claimed +worker-9 on host-z/m);
});
