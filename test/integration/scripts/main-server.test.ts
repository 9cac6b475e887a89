import { readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LIKE_ORIGINAL } from '../../../scripts/main-server/faults.js';
import { startMainServer, type DevMainServer } from '../../../scripts/main-server/server.js';
import { useCertificates } from '../../support/main-server/certificates.js';
import { waitFor } from '../../support/wait-for.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';

expectNoLeftovers();
const certificates = useCertificates();

interface Reply {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: unknown;
}

describe('the development main server', () => {
  let server: DevMainServer;

  beforeAll(async () => {
    const { files } = certificates;
    const pem = (path: string) => readFileSync(path, 'utf8');
    server = await startMainServer({
      tls: { cert: pem(files.serverCert), key: pem(files.serverKey), ca: pem(files.caCert) },
    });
  });
  beforeEach(() => server.clear());
  afterAll(() => server.close());

  const ask = (method: string, path: string, json?: unknown, withPair = true) =>
    new Promise<Reply>((resolve, reject) => {
      const { files } = certificates;
      const pair = withPair ? { cert: readFileSync(files.workerCert), key: readFileSync(files.workerKey) } : {};
      const request = httpsRequest(server.url + path, {
        method,
        agent: false,
        ca: readFileSync(files.caCert),
        ...pair,
      });
      request.on('error', reject);
      request.on('response', (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            retryAfter: response.headers['retry-after'],
            body: JSON.parse(text),
          }),
        );
      });
      request.end(json === undefined ? '' : JSON.stringify(json));
    });
  const post = (id: unknown) => ask('POST', '/internal/messages/deliver', { message_id: id, worker_id: 'w' });
  const put = (id: string, count: number) =>
    ask('PUT', `/internal/messages/${id}/status`, { status: 'queued', attempt_count: count, error_message: 'x' });

  it('answers as the real one does', async () => {
    expect(await post('a')).toMatchObject({ status: 200, body: { status: 'success' } });
    expect((await post(null)).status).toBe(422);
    expect(await ask('GET', '/nowhere')).toMatchObject({ status: 404, body: { detail: 'Not Found' } });
    expect(await put('a', 1)).toMatchObject({ status: 200, body: { status: 'updated' } });
    expect((await put('a', -1)).status).toBe(422);
    expect(await put('a%2Fb', 1)).toMatchObject({ status: 404, body: { detail: 'Not Found' } });
    expect(await ask('GET', '/health')).toMatchObject({ status: 200, body: { status: 'healthy' } });
    server.faults.unknownIds.add('nope');
    expect(await post('nope')).toMatchObject({
      status: 404,
      body: { error: 'Message not found: nope', status_code: 404 },
    });
    expect(server.clients[0]).toBe('worker');
  });

  it('takes nobody without a client certificate', async () => {
    await expect(ask('GET', '/health', undefined, false)).rejects.toThrow();
  });

  it('fails the first attempts, forgets young messages, and remembers it all', async () => {
    server.faults.post.failFirst = 2;
    const statuses = [await post('b'), await post('b'), await post('b'), await post('b')].map((reply) => reply.status);
    expect(statuses).toEqual([503, 503, 200, 200]);
    expect(server.ledger.duplicates).toBe(1);
    expect(server.ledger.of('b', 'POST').map((exchange) => exchange.status)).toEqual(statuses);
  });

  it.each(['drop', 'rst', 'cut'] as const)('breaks the connection: %s', async (fault) => {
    server.faults.post.body = fault;
    await expect(post('c')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('works on one at a time, health included, and freezes beyond its pool', async () => {
    Object.assign(server.faults, { ...LIKE_ORIGINAL, unknownForMs: 0, unknownSpreadMs: 0, serialMs: 5, freezeMs: 300 });
    const within = await Promise.all(Array.from({ length: 30 }, (_, at) => post(`in-${at}`)));
    expect(within.every(({ status }) => status === 200)).toBe(true);
    expect(server.inFlight).toMatchObject({ now: 0, frozen: 0 });
    const ends = [...server.ledger.exchanges.values()].map(([exchange]) => exchange?.endMs ?? NaN);
    // timers are whole milliseconds, and late ones are made up for
    expect(Math.max(...ends) - Math.min(...ends)).toBeGreaterThan(29 * 5 - 10);

    server.faults.poolSize = 2;
    server.faults.post.delayMs = 3_600_000;
    for (const id of ['a', 'b']) post(id).catch(() => undefined); // cut at the end
    await waitFor(() => server.inFlight.now === 2, { what: 'two that hold a connection' });
    const frozen: number[] = [];
    server.onFreeze = (inFlight) => frozen.push(inFlight);
    const [late, health] = await Promise.all([post('c'), ask('GET', '/health')]);
    expect([late.status, health.status, ...frozen]).toEqual([500, 500, 3, 4]);
    expect(server.inFlight).toMatchObject({ now: 2, frozen: 2 });
  });

  it('knows a message some time after it was enqueued', async () => {
    server.faults.unknownForMs = 80;
    server.enqueued('told');
    const enqueuedAtMs = performance.now();
    await waitFor(async () => (await post('told')).status === 200, { what: 'its registration' });
    expect((server.ledger.of('told').at(-1)?.endMs ?? NaN) - enqueuedAtMs).toBeGreaterThanOrEqual(79);
    expect((await post('seen')).body).toEqual({ error: 'Message not found: seen', status_code: 404 });
  });

  it('refuses more than it takes, and says until when', async () => {
    server.faults.maxPerSecond = 1;
    const replies: Reply[] = [];
    // two of three fall into one second
    while (!replies.some(({ status }) => status === 429)) replies.push(await post('a'));
    expect(replies.find(({ status }) => status === 429)).toMatchObject({ retryAfter: '1' });

    server.clear();
    server.faults.post.status = 503;
    expect(await post('b')).toMatchObject({ status: 503, retryAfter: undefined });
    server.faults.retryAfterS = 7;
    expect(await post('b')).toMatchObject({ status: 503, retryAfter: '7' });
    server.faults.post.status = 500;
    expect(await post('b')).toMatchObject({ status: 500, retryAfter: undefined });
  });

  it('is away by plan, with its health', async () => {
    Object.assign(server.faults, { outageEveryMs: 3_600_000, outageForMs: 3_600_000 });
    for (const reply of [await post('a'), await put('a', 1), await ask('GET', '/health')]) {
      expect(reply.status).toBe(503);
      expect(Number(reply.retryAfter)).toBeGreaterThan(1_000);
    }
    server.faults.outageEveryMs = 0;
    expect((await post('a')).status).toBe(200);
  });

  it('closes with a request hanging', async () => {
    server.faults.post.hang = true;
    const hanging = post('d');
    const refused = expect(hanging).rejects.toThrow();
    await new Promise<void>((resolve) => (server.onPost = () => resolve()));
    await server.close();
    await refused;
  });
});
