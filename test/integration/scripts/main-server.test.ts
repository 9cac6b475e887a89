import { readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startMainServer, type DevMainServer } from '../../../scripts/main-server/server.js';
import { useCertificates } from '../../support/main-server/certificates.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';

expectNoLeftovers();
const certificates = useCertificates();

interface Reply {
  readonly status: number;
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
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
      });
      request.end(json === undefined ? '' : JSON.stringify(json));
    });
  const post = (id: unknown) => ask('POST', '/internal/messages/deliver', { message_id: id, worker_id: 'w' });
  const put = (id: string, count: number) =>
    ask('PUT', `/internal/messages/${id}/status`, { status: 'queued', attempt_count: count, error_message: 'x' });

  it('answers as the real one does', async () => {
    expect(await post('a')).toMatchObject({ status: 200, body: { status: 'success' } });
    expect((await post(null)).status).toBe(422);
    expect(await ask('GET', '/nowhere')).toEqual({ status: 404, body: { detail: 'Not Found' } });
    expect(await put('a', 1)).toEqual({ status: 200, body: { status: 'updated' } });
    expect((await put('a', -1)).status).toBe(422);
    expect(await put('a%2Fb', 1)).toEqual({ status: 404, body: { detail: 'Not Found' } });
    expect(await ask('GET', '/health')).toMatchObject({ status: 200, body: { status: 'healthy' } });
    server.faults.unknownIds.add('nope');
    expect(await post('nope')).toEqual({ status: 404, body: { error: 'Message not found: nope', status_code: 404 } });
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

  it('closes with a request hanging', async () => {
    server.faults.post.hang = true;
    const hanging = post('d');
    const refused = expect(hanging).rejects.toThrow();
    await new Promise<void>((resolve) => (server.onPost = () => resolve()));
    await server.close();
    await refused;
  });
});
