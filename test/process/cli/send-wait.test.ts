import { expect, test } from 'vitest';

import { QUEUE } from '../../support/redis/queue.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { useProgram } from '../../support/program/program.js';
import { useRedis } from '../../support/redis/redis.js';
import { startOperated } from '../fixtures/operated.js';

const redis = useRedis();
const main = useMainServer();
useProgram();

const operated = (env: Record<string, string> = {}) =>
  startOperated({ redisPort: redis.port, mainServerUrl: main.server.url, env });

test('send --wait: until delivered, or dead; in time or not, it says where it is', async () => {
  const worker = await operated({ WORKER_MAX_ATTEMPTS: '1', WORKER_RETRY_INTERVAL: '1' });
  await worker.untilReady();
  const two = await worker.command('send', '--count', '2', '--wait', '--json');
  expect(two.code).toBe(0);
  const { message_ids: ids, outcomes } = JSON.parse(two.out) as { message_ids: string[]; outcomes: object[] };
  expect(outcomes).toEqual(ids.map((id) => ({ message_id: id, outcome: 'delivered', reason: null })));

  main.server.faults.post.failRate = 1;
  expect(await worker.command('send', '{"message_id":"bad"}', '--wait')).toMatchObject({
    code: 1,
    out: 'bad: is a dead letter (max_attempts_exceeded)\nTo see more of it: message-broker-worker message show bad',
  });
  // the letter of before is another's
  main.server.faults.post.failRate = 0;
  expect((await worker.command('send', '{"message_id":"bad"}', '--wait')).out).toBe('bad: delivered');
  await worker.command('stop');

  expect(await worker.command('send', '{"message_id":"late"}', '--wait', '--timeout', '1s')).toMatchObject({
    code: 1,
    out: 'late: waits for a worker\nTo see more of it: message-broker-worker message show late',
  });
});

test('send --wait refuses what it could not tell, before anything is sent', async () => {
  const { command } = await operated({ WORKER_QUEUE_RELIABLE: 'false' });
  expect(await command('send', '--wait')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/WORKER_QUEUE_RELIABLE/) as string,
  });
  for (const args of [
    ['--count', '1001', '--wait'],
    ['--file', '-', '--wait'],
    ['--timeout', '3s'],
    ['--wait', '--timeout', 'x'],
  ]) {
    expect((await command('send', ...args)).code).toBe(2);
  }
  expect(await redis.client.exists(QUEUE)).toBe(0);
});
