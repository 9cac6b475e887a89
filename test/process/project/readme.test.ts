/** The documents quote what the program says when something is wrong, and name its routes: here the built program does it. */
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { useCertificates } from '../../support/main-server/certificates.js';
import { freePort } from '../../support/free-port.js';
import { useProgram, type Program } from '../../support/program/program.js';
import { useRedis } from '../../support/redis/redis.js';
import { document } from '../../unit/contract/markdown.js';

const readme = document('README.md');
const reference = document('docs/reference.md');
const ecosystem = document('ecosystem.md');
const start = useProgram();
const redis = useRedis();
const certificates = useCertificates();
const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

/** Environment of an instance that meets no other. */
async function instance(env: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
  const [metrics, supervisor] = [await freePort(), await freePort()];
  return {
    REDIS_PORT: String(redis.port),
    MAIN_SERVER_URL: 'http://127.0.0.1:1',
    WORKER_METRICS_PORT: String(metrics),
    SUPERVISOR_PORT: String(supervisor),
    SUPERVISOR_RUNTIME_DIR: 'run',
    WORKER_COUNT: '1',
    ...env,
  };
}

/** The book's line with what differs here in place of what stands there; fails when the book does not hold it. */
function quoted(line: string, here: readonly (readonly [string, string])[] = []): RegExp {
  expect(ecosystem.text.split('\n')).toContain(line);
  const text = here.reduce((result, [there, value]) => result.replaceAll(there, value), line);
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') + '$');
}

async function stop(program: Program): Promise<void> {
  program.signal('SIGTERM');
  await program.waitForExit();
}

describe('troubleshooting', () => {
  test('1. Redis is not there', async () => {
    const port = String(await freePort());
    const program = start({ env: await instance({ REDIS_PORT: port }) });
    const line =
      'ERROR - [worker-1] - Cannot connect to Redis at localhost:6379: Connection refused (is Redis running there? see REDIS_HOST, REDIS_PORT)';
    await program.waitForLine(quoted(line, [['6379', port]]));
    await stop(program);
  });

  test('2. there is no certificate', async () => {
    const env = { MAIN_SERVER_URL: 'https://127.0.0.1:1', CA_CERT_PATH: certificates.files.caCert };
    const program = start({ env: await instance(env) });
    await program.waitForLine(
      quoted(
        'ERROR - [supervisor] - No worker can start: worker-1 could not start: Worker certificate not found at certs/worker.crt (WORKER_CERT_PATH)',
      ),
    );
    expect((await program.waitForExit()).code).toBe(78);
  });

  test('3. the main server is not there', async () => {
    const port = String(await freePort());
    await redis.client.lpush('message_queue', ...Array.from({ length: 12 }, (_, i) => `{"message_id":"m${i}"}`));
    const program = start({ env: await instance({ MAIN_SERVER_URL: `http://127.0.0.1:${port}` }) });
    const id = '123e4567-e89b-12d3-a456-426614174000';
    const failed = `ERROR - [worker-1] - Failed to connect to main server for message ${id}: Connection refused (connect ECONNREFUSED 127.0.0.1:8000)`;
    await program.waitForLine(
      quoted(failed, [
        ['8000', port],
        [id, 'm0'],
      ]),
    );
    const paused =
      'ERROR - [worker-1] - Main server cannot be reached (connection_refused): claiming is paused, looking again every 5 s';
    await program.waitForLine(quoted(paused));
    await stop(program);
  });

  test('7. the metrics port is taken, and a second supervisor', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    closing.push(() => holder.close());
    const address = holder.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    const env = await instance({ WORKER_METRICS_PORT: port, WORKER_METRICS_HOST: '127.0.0.1' });
    const program = start({ env });
    const taken =
      'ERROR - [worker-1] - Metrics port 9100 is taken by another process (perhaps node_exporter, whose port 9100 is). Set WORKER_METRICS_PORT to a free port. Messages are delivered all the same; it is tried again until it works.';
    const perhaps = 'perhaps node_exporter, whose port 9100 is';
    await program.waitForLine(
      quoted(taken, [
        [perhaps, 'perhaps another worker'],
        ['9100', port],
      ]),
    );

    const second = start({ cwd: program.cwd, env });
    const running =
      'ERROR: A supervisor is running already (pid 4711, /run/user/1000/message-broker-worker/supervisor-9099.pid). Stop it first, or give this one another SUPERVISOR_PORT.';
    await second.waitForLine(
      quoted(running, [
        ['4711', String(program.pid)],
        ['/run/user/1000/message-broker-worker', 'run'],
        ['9099', env['SUPERVISOR_PORT'] ?? ''],
      ]),
    );
    expect((await second.waitForExit()).code).toBe(1);
    await stop(program);
  });

  test('8. a wrong setting', async () => {
    const program = start({ env: await instance({ WORKER_CONCURRENCY: '12abc' }) });
    await program.waitForLine(
      quoted('ERROR: WORKER_CONCURRENCY (environment) is "12abc"; it must be a whole number from 1 to 10000.'),
    );
    expect((await program.waitForExit()).code).toBe(78);
  });
});

test('every route that is named answers', async () => {
  const inTable: readonly (string | undefined)[] = reference
    .table('## Routes')
    .flatMap(([routes = '']) => routes.replaceAll('GET ', '').split(', '));
  const named = [readme, reference, ecosystem]
    .flatMap(({ spans }) => spans)
    .map((span) => /^(?:GET )?(\/[a-z/]+)$/.exec(span)?.[1]);
  const ofMainServer = '/internal/messages/deliver';
  const paths = new Set([...inTable, ...named].filter((path) => path !== undefined && path !== ofMainServer));
  expect(paths.size).toBeGreaterThan(4);

  const env = await instance();
  const program = start({ env });
  await program.waitForLine(/Worker worker-1 \(pid \d+\) is ready$/);
  for (const path of paths) {
    const answer = await fetch(`http://127.0.0.1:${env['SUPERVISOR_PORT']}${path}`);
    // those outside the table change something or need the token: they are there, and refuse a plain GET
    const expected = inTable.includes(path) ? [200] : [200, 401, 403, 405];
    expect([path, expected.includes(answer.status)]).toEqual([path, true]);
    await answer.body?.cancel(); // /events never ends
  }
  await stop(program);
});
