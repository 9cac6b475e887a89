import { expect, test } from 'vitest';
import { redisKeys } from '../../../src/queue/keys.js';
import { useInstallation } from '../../support/program/fleet.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';

expectNoLeftovers();
const installation = useInstallation();
const { ledger, start } = installation;

test('a worker that was cut off says nothing of what others recovered meanwhile', async () => {
  const { server, redis } = installation;
  const proxy = await startTcpProxy(redis.port);
  try {
    const fleet = await start({ WORKER_COUNT: 1, REDIS_PORT: proxy.port });
    await fleet.ready(1);
    Object.assign(server.faults.post, { status: 500, delayMs: 1_000 });
    await ledger.produce(1);
    await waitFor(() => server.ledger.posts === 1, { what: 'the POST' });
    await proxy.setMode('refuse');
    await recoverOnAnotherHost();
    await fleet.program.waitForLine(/delivery failed, will retry/);
    Object.assign(server.faults.post, { status: undefined, delayMs: 0 });
    await proxy.setMode('pass');
    await fleet.program.waitForLine(/1 message\(s\) were not ours any more when they were done/);
    expect(await ledger.quiet()).toMatchObject({ lost: [], misplaced: [], delivered: 1 });
    expect(server.ledger.puts).toBe(0);
  } finally {
    await proxy.close();
  }

  /** As recover.lua leaves it. */
  async function recoverOnAnotherHost(): Promise<void> {
    const { queue, consumers, processing } = redisKeys('message_queue');
    const [consumer = ''] = await redis.client.zrange(consumers, '0', '-1');
    await redis.client.zadd(consumers, -Date.now(), consumer);
    await redis.client.lmove(processing(consumer), queue, 'LEFT', 'RIGHT');
  }
});
