import { systemClock } from '../../../src/shared/time/clock.js';
import { once } from 'node:events';
import { get, request, type IncomingMessage } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createMetricsServer,
  type MetricsServer,
  type MetricsServerOptions,
} from '../../../src/duties/metrics-server.js';
import { createWorkerMetrics, type WorkerMetrics } from '../../../src/shared/metrics/worker-metrics.js';
import { freePort } from '../../support/free-port.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { answersIn, rawClient, requestsFor, type RawClient } from '../../support/raw-client.js';
import { HANGS_MS, waitFor } from '../../support/wait-for.js';

expectNoLeftovers();

let port: number;
let metrics: WorkerMetrics;
let lines: string[];
let server: MetricsServer;
let holder: Server | undefined;

function make(options: Partial<MetricsServerOptions> = {}): MetricsServer {
  const log = {
    debug: (text: string) => void lines.push(`DEBUG ${text}`),
    info: (text: string) => void lines.push(`INFO ${text}`),
    warn: (text: string) => void lines.push(`WARNING ${text}`),
    error: (text: string) => void lines.push(`ERROR ${text}`),
  };
  server = createMetricsServer({
    host: '127.0.0.1',
    port,
    registry: metrics.registry,
    clock: systemClock,
    log,
    enabled: true,
    ...options,
  });
  return server;
}

beforeEach(async () => {
  port = await freePort();
  metrics = createWorkerMetrics('worker-1');
  lines = [];
});
afterEach(async () => {
  await server.stop();
  await release();
  metrics.registry.clear();
});

async function occupy(): Promise<void> {
  holder = createServer().listen(port, '127.0.0.1');
  await once(holder, 'listening');
}

async function release(): Promise<void> {
  if (holder === undefined) return;
  holder.close();
  await once(holder, 'close');
  holder = undefined;
}

/** However it ended: cut connections end in a reset. */
async function ended(socket: Socket): Promise<void> {
  socket.resume().on('error', () => {});
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}

async function fetched(path: string, method = 'GET'): Promise<{ response: IncomingMessage; body: string }> {
  const [response] = (await once(
    request({ host: '127.0.0.1', port: server.port, path, method, agent: false }).end(),
    'response',
  )) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { response, body };
}

describe('answers', () => {
  test.each(['/metrics', '/', '/any/path?x=1'])('GET %s is the metrics', async (path) => {
    await make().start();
    metrics.delivered();
    const { response, body } = await fetched(path);
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(body).toContain('worker_messages_delivered_total{worker_id="worker-1"} 1\n');
  });

  test('HEAD has the length and no body', async () => {
    await make().start();
    const { response, body } = await fetched('/metrics', 'HEAD');
    expect(Number(response.headers['content-length'])).toBeGreaterThan(1_000);
    expect(body).toBe('');
  });

  test('other methods are refused', async () => {
    await make().start();
    const { response } = await fetched('/metrics', 'POST');
    expect([response.statusCode, response.headers.allow]).toEqual([405, 'GET, HEAD']);
  });

  test('a registry that fails is a 500 and a line, not an end', async () => {
    const broken = { contentType: Registry.PROMETHEUS_CONTENT_TYPE, metrics: () => Promise.reject(new Error('no')) };
    await make({ registry: broken }).start();
    expect((await fetched('/metrics')).response.statusCode).toBe(500);
    expect(lines.at(-1)).toBe('ERROR Cannot collect the metrics: no');
  });

  test('a client that never finishes its request is cut', async () => {
    await make().start();
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /metrics HTTP/1.1\r\n');
    let isCut = false;
    void ended(socket).then(() => (isCut = true));
    // Node's own limit is a minute
    await waitFor(() => isCut, { what: 'the client to be cut', deadlineMs: HANGS_MS / 2 });
  });
});

describe('many who ask', () => {
  test('the page is made at most four times a second, and whoever asks gets one that is made after', async () => {
    const made: number[] = [];
    const counted = {
      contentType: Registry.PROMETHEUS_CONTENT_TYPE,
      metrics: () => Promise.resolve(`page ${made.push(performance.now())}\n`),
    };
    await make({ registry: counted }).start();
    const clients = await Promise.all(Array.from({ length: 10 }, () => rawClient(port)));
    for (const { socket } of clients) socket.write(requestsFor('/metrics', 8_000));
    await waitFor(() => clients.every(({ text }) => answersIn(text()) > 1), { what: 'two answers for each' });
    const before = made.length;
    expect((await fetched('/metrics')).body).toBe(`page ${before + 1}\n`);
    const gaps = made.slice(1).map((at, index) => at - (made[index] ?? 0));
    // what is read here may be late by itself, as the next one is early
    expect(Math.min(...gaps)).toBeGreaterThan(240);
    for (const { close } of clients) close();
  });

  test('silent and greedy clients keep nobody out', async () => {
    await make().start();
    const silent: RawClient[] = [];
    for (let at = 0; at < 200; at += 1) silent.push(await rawClient(port));
    for (const { socket } of silent) socket.write(requestsFor('/metrics', 1_000));
    expect((await fetched('/metrics')).response.statusCode).toBe(200);
    expect(silent.filter(({ isClosed }) => !isClosed()).length).toBeLessThan(20);
    for (const { close } of silent) close();
  });
});

describe('life', () => {
  test("logs the original's line", async () => {
    await make().start();
    expect(lines).toEqual([`INFO Prometheus metrics server started on port ${port}`]);
    expect([server.state(), server.port]).toEqual(['listening', port]);
  });

  test('port 0 takes a free one and names it', async () => {
    await make({ port: 0 }).start();
    expect(server.port).toBeGreaterThan(0);
    expect(lines[0]).toContain(`port ${server.port}`);
  });

  test('disabled: opens nothing and says nothing', async () => {
    await make({ enabled: false }).start();
    expect([server.state(), lines]).toEqual(['off', []]);
    const client = get({ host: '127.0.0.1', port });
    expect(await once(client, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }]);
  });

  test('stop cuts idle and open connections, frees the port and is safe twice', async () => {
    await make().start();
    const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    sockets[1]?.write('GET /metrics HTTP/1.1\r\n');
    let heard = '';
    for (const socket of sockets) socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    const closed = Promise.all(sockets.map((socket) => ended(socket)));
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    await closed;
    // a request that had been waited for until its time was over would have been answered 408
    expect(heard).toBe('');
    expect(server.state()).toBe('off');
    await occupy();
  });

  test('start twice is once', async () => {
    await make().start();
    await server.start();
    expect(lines).toHaveLength(1);
  });
});

describe('a taken port', () => {
  test('start resolves, one ERROR names it, and it is served after it has come free', async () => {
    await occupy();
    await make().start();
    expect(server.state()).toBe('port_taken');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      new RegExp(`^ERROR Metrics port ${port} is taken by another process .*WORKER_METRICS_PORT`),
    );
    await release();
    await waitFor(() => server.state() === 'listening', { what: 'the port to be served' });
    expect(lines).toEqual([lines[0], `INFO Prometheus metrics server started on port ${port}`]);
    expect((await fetched('/')).response.statusCode).toBe(200);
  });

  test('port 9100 brings node_exporter to mind', async () => {
    port = 9100;
    // Taken by us, or by whoever holds it on this machine.
    await occupy().catch(() => (holder = undefined));
    await make().start();
    expect(lines[0]).toMatch(/^ERROR Metrics port 9100 is taken .*node_exporter/);
  });

  test('stop ends the tries', async () => {
    await occupy();
    await make().start();
    await server.stop();
    await release();
    expect(server.state()).toBe('off');
    await occupy(); // nobody else took it
  });

  test('a host that is not ours is said plainly', async () => {
    await make({ host: '192.0.2.1' }).start();
    expect(lines[0]).toMatch(/^ERROR Cannot serve metrics on 192\.0\.2\.1 port \d+ \(.*EADDRNOTAVAIL/);
    expect(server.state()).toBe('port_taken');
  });
});
