import { describe, expect, test } from 'vitest';
import { redisKeys } from '../../../src/queue/keys.js';
import { useInstallation } from '../../support/program/fleet.js';
import { attemptCountOf, idOf, messageText } from '../../support/ledger.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { QUEUE } from '../../support/redis/queue.js';
import { waitFor } from '../../support/wait-for.js';

expectNoLeftovers();
const installation = useInstallation();
const { ledger, redis, start } = installation;

describe('a retry', () => {
  test('keeps every byte but attempt_count', async () => {
    const { server } = installation;
    Object.assign(server.faults.post, { status: 500 });
    const before: Readonly<Record<string, string>> = {
      spaces: '\t{ "message_id" :"spaces",\r\n "attempt_count"  :  41 , "x":[ 1 ,2 ] }\n\n',
      numbers: '{"n":9223372036854775807,"f":1.10,"e":1E+2,"z":-0,"message_id":"numbers","attempt_count":41}',
      twice: '{"attempt_count":1,"a":1,"message_id":"other","message_id":"twice","a":2,"attempt_count":41}',
      escapes: '{"message_id":"\\u0065scapes","t":"\\ud83d\\ude00 \\/ \\u2028 é 😀","attempt_c\\u006funt":41}',
      inside: '{"m":{"attempt_count":9},"s":"\\"attempt_count\\":5","message_id":"inside","attempt_count":41}',
      missing: '{"message_id":"missing","k":null }',
    };
    const fleet = await start({ WORKER_COUNT: 2, WORKER_RETRY_INTERVAL: 600 });
    await fleet.ready(2);
    for (const [id, raw] of Object.entries(before)) await ledger.produceRaw(id, raw);
    await waitFor(async () => (await ledger.snapshot()).retry.length === 6, { what: 'six retries' });
    const after = Object.fromEntries((await ledger.snapshot()).retry.map((raw) => [idOf(raw), String(raw)]));
    const { missing = '', ...others } = before;
    for (const [id, raw] of Object.entries(others)) {
      // the last of duplicate keys is the one that parsers read
      const at = raw.lastIndexOf('41');
      expect(after[id]).toBe(`${raw.slice(0, at)}42${raw.slice(at + 2)}`);
    }
    expect(JSON.parse(after['missing'] ?? '')).toEqual({ message_id: 'missing', k: null, attempt_count: 1 });
    expect(after['missing']?.startsWith(missing.slice(0, -2))).toBe(true);

    // and when it is due, those very bytes are what waits in the queue
    fleet.program.signal('SIGTERM');
    await fleet.program.waitForExit();
    await makeRetriesDue();
    server.faults.post.hang = true;
    await fleet.startAgain().waitForLine(/is ready/);
    await waitFor(async () => (await ledger.snapshot()).retry.length === 0, { what: 'the retries to be due' });
    const { processing, waiting } = await ledger.snapshot();
    expect([...processing, ...waiting].map(String).sort()).toEqual(Object.values(after).sort());
  });

  test('holds no slot while it waits: two slots get through 200 failures to the 50 messages behind them', async () => {
    const { server } = installation;
    const failures = 200;
    // nothing falls due while this test runs: who held its slot until then would hold it for ever; and without the grace
    // a 404 is a plain failure
    const settings = { WORKER_RETRY_INTERVAL: 3_600, WORKER_NOT_FOUND_GRACE: 0 };
    const fleet = await start({ WORKER_COUNT: 1, WORKER_CONCURRENCY: 2, ...settings });
    await fleet.ready(1);
    const failing = Array.from({ length: failures }, (_, at) => `failing-${at}`);
    for (const id of failing) server.faults.unknownIds.add(id);
    for (const id of failing) await ledger.produceRaw(id, messageText(id));
    const good = await ledger.produce(50);
    await waitFor(() => good.every((id) => server.ledger.delivered.has(id)), { what: 'the good ones' });
    await waitFor(async () => (await ledger.snapshot()).processing.length === 0, { what: 'the last acknowledgement' });
    expect(failing.map((id) => server.ledger.of(id, 'POST').length)).toEqual(failing.map(() => 1));
    expect(await ledger.accountFor()).toMatchObject({ lost: [], misplaced: [], retry: failures, duplicates: 0 });
  });
});

describe('a message that always fails', () => {
  test('is POSTed exactly max_attempts times, then marked as failed and kept as a dead letter', async () => {
    const { server } = installation;
    server.faults.post.status = 500;
    const fleet = await start({ WORKER_COUNT: 2, WORKER_MAX_ATTEMPTS: 2, WORKER_RETRY_INTERVAL: 600 });
    await fleet.ready(2);
    const ids = await ledger.produce(10);
    for (const failures of [10, 20]) {
      await waitFor(() => server.ledger.puts === failures, { what: `the main server to be told of ${failures}` });
      await waitFor(async () => (await ledger.snapshot()).retry.length === 10, { what: 'ten retries' });
      await makeRetriesDue();
    }
    await waitFor(async () => (await ledger.snapshot()).dead.length === 10, { what: 'ten dead letters' });
    for (const id of ids) {
      expect(server.ledger.of(id, 'POST')).toHaveLength(2);
      expect(server.ledger.of(id, 'PUT').map(({ body }) => body)).toEqual([
        { status: 'queued', attempt_count: 1, error_message: 'HTTP 500' },
        { status: 'queued', attempt_count: 2, error_message: 'HTTP 500' },
        { status: 'failed', attempt_count: 2, error_message: 'Max attempts exceeded' },
      ]);
      expectOneAtATime(id);
    }
    expect((await ledger.snapshot()).dead.map(attemptCountOf)).toEqual(ids.map(() => 2));
    expect(await fleet.get('/metrics/workers')).toMatch(
      /^worker_messages_failed_total\{[^}]*max_attempts_exceeded[^}]*\} [1-9]/m,
    );
    expect(await ledger.accountFor()).toMatchObject({ lost: [], misplaced: [], dead: 10, duplicates: 0 });
  });

  test('has its cause told in words of a closed set, one request at a time', async () => {
    const { server } = installation;
    const fleet = await start({ WORKER_COUNT: 1, WORKER_RETRY_INTERVAL: 5 });
    await fleet.ready(1);
    // a slow PUT: the next POST must not begin before it has ended, or was given up, which is far off
    server.faults.put.delayMs = 400;
    const told: unknown[] = [];
    for (const status of [400, 404, 422, 500, 302]) {
      server.faults.post.status = status;
      const [id = ''] = await ledger.produce(1);
      await waitFor(() => server.ledger.of(id, 'PUT').length > 0, { what: `the PUT after ${status}` });
      told.push(server.ledger.of(id, 'PUT')[0]?.body);
    }
    server.faults.post.status = undefined;
    await ledger.quiet();
    for (const id of ledger.produced) expectOneAtATime(id);
    const texts = ['HTTP 400', 'HTTP 404', 'HTTP 422', 'HTTP 500', 'Redirect refused'];
    expect(told).toEqual(texts.map((text) => ({ status: 'queued', attempt_count: 1, error_message: text })));
  });
});

/** As if their interval were over. */
async function makeRetriesDue(): Promise<void> {
  const { retry } = redisKeys(QUEUE);
  for (const member of await redis.client.zrange(retry, '0', '-1')) await redis.client.zadd(retry, 1, member);
}

/** For one message no request begins before the one before it has ended. */
function expectOneAtATime(id: string): void {
  const exchanges = installation.server.ledger.of(id);
  for (const [index, { startMs }] of exchanges.entries()) {
    if (index > 0) expect(startMs).toBeGreaterThanOrEqual(exchanges[index - 1]?.endMs ?? Infinity);
  }
}
