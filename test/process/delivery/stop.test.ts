import { describe, expect, test } from 'vitest';
import { redisKeys } from '../../../src/queue/keys.js';
import { useInstallation } from '../../support/program/fleet.js';
import { attemptCountOf, idOf, messageText } from '../../support/ledger.js';
import { QUEUE } from '../../support/redis/queue.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { waitFor } from '../../support/wait-for.js';

expectNoLeftovers();
const installation = useInstallation();
const { ledger, start } = installation;

describe('SIGTERM', () => {
  test('under load finishes what is in flight and exits with 0: nothing lost, nothing twice', async () => {
    const { server } = installation;
    const fleet = await start({ WORKER_COUNT: 3 });
    await fleet.ready(3);
    server.faults.post.delayMs = 20;
    await ledger.produce(2_000);
    await waitFor(() => server.ledger.delivered.size > 100, { what: 'load' });
    fleet.program.signal('SIGTERM');
    expect(await fleet.program.waitForExit()).toEqual({ code: 0, signal: null });
    expect(fleet.program.descendants()).toEqual([]);
    // each worker ended because it was done, not because its time was over
    expect(fleet.logged()).not.toMatch(/Handing \d+ unfinished message/);
    const account = await ledger.accountFor();
    expect(account).toMatchObject({ lost: [], misplaced: [], processing: 0, retry: 0, dead: 0, duplicates: 0 });
    expect(account.waiting + account.delivered).toBe(2_000);
    expect(account.waiting).toBeGreaterThan(0);
    // so `rollback` need not wait for the end of a lease
    expect(await installation.redis.client.zcount(redisKeys(QUEUE).consumers, 0, '+inf')).toBe(0);

    fleet.startAgain();
    expect(await ledger.quiet()).toMatchObject({ lost: [], misplaced: [], duplicates: 0 });
  });

  test('while the server hangs hands everything back at the deadline, in order and unchanged', async () => {
    const { server } = installation;
    server.faults.post.hang = true;
    const fleet = await start({ WORKER_COUNT: 1, WORKER_SHUTDOWN_TIMEOUT: 2 });
    await fleet.ready(1);
    const messages = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => ` ${messageText(id, 3)}\n`);
    for (const [index, raw] of messages.entries()) await ledger.produceRaw('abcdef'.charAt(index), raw);
    await waitFor(() => server.ledger.posts === 4, { what: 'all slots to be taken' });
    fleet.program.signal('SIGTERM');
    const asked = performance.now();
    expect(await fleet.program.waitForExit()).toEqual({ code: 0, signal: null });
    expect(performance.now() - asked).toBeGreaterThan(1_900);
    // by itself: one that outlasts its deadline is killed, and the exit code would be 1
    expect(fleet.logged()).toMatch(/worker-1\] - Handing 4 unfinished message/);
    const { waiting, processing, retry, dead } = await ledger.snapshot();
    expect(waiting.map(String).reverse()).toEqual(messages);
    expect([processing, retry, dead]).toEqual([[], [], []]);
    expect(server.ledger.puts).toBe(0);
  });

  test('a second time ends at once', async () => {
    const { server } = installation;
    server.faults.post.hang = true;
    // by itself it would end ten minutes later, long after this test has given up
    const fleet = await start({ WORKER_COUNT: 2, WORKER_SHUTDOWN_TIMEOUT: 600 });
    await fleet.ready(2);
    await ledger.produce(10);
    await waitFor(() => server.ledger.posts === 8, { what: 'all slots to be taken' });
    fleet.program.signal('SIGTERM');
    await fleet.program.waitForLine(/worker-1\] - Waiting for 4 tasks to complete\.\.\./);
    fleet.program.signal('SIGTERM');
    expect(await fleet.program.waitForExit()).toEqual({ code: 0, signal: null });
    expect(await ledger.accountFor()).toMatchObject({ lost: [], misplaced: [], waiting: 10, processing: 0 });
  });

  test('a delivery that fails after it is rescheduled, not dropped', async () => {
    const { server } = installation;
    // long enough for the signal to find all four under way
    Object.assign(server.faults.post, { delayMs: 3_000, status: 500 });
    const fleet = await start({ WORKER_COUNT: 1 });
    await fleet.ready(1);
    const ids = await ledger.produce(4);
    await waitFor(() => server.ledger.posts === 4, { what: 'four POSTs' });
    fleet.program.signal('SIGTERM');
    await fleet.program.waitForLine(/initiating graceful shutdown/);
    expect((await ledger.accountFor()).processing).toBe(4);
    expect(await fleet.program.waitForExit()).toEqual({ code: 0, signal: null });
    const { retry, ...others } = await ledger.snapshot();
    expect(retry.map(idOf).sort()).toEqual([...ids].sort());
    expect(retry.map(attemptCountOf)).toEqual([1, 1, 1, 1]);
    expect(others).toEqual({ waiting: [], processing: [], dead: [] });
    // the main server was told before the end
    expect(ids.map((id) => server.ledger.of(id, 'PUT').length)).toEqual([1, 1, 1, 1]);
  });
});

test('Ctrl-C reaches the whole group, and each worker stops once', async () => {
  const { server } = installation;
  const fleet = await start({ WORKER_COUNT: 2 });
  await fleet.ready(2);
  server.faults.post.delayMs = 200;
  await ledger.produce(100);
  await waitFor(() => server.ledger.posts >= 8, { what: 'load' });
  for (const pid of [fleet.program.pid, ...fleet.program.descendants()]) process.kill(pid, 'SIGINT');
  expect(await fleet.program.waitForExit()).toEqual({ code: 0, signal: null });
  const account = await ledger.accountFor();
  expect(account).toMatchObject({ lost: [], misplaced: [], processing: 0, duplicates: 0 });
  expect(account.waiting + account.delivered).toBe(100);
  expect(fleet.logged().match(/Worker worker-\d stopped/g)).toHaveLength(2);
});
