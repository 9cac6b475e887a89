import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { startRedis, type RedisOptions, type RedisProcess } from '../../../scripts/local/redis-process.js';

export interface TestRedis {
  readonly process: RedisProcess;
  /** For assertions only: a plain client that waits for the server. */
  readonly client: Redis;
  readonly host: string;
  readonly port: number;
}

/** One redis-server for the test file, emptied before each test. Call it at the top level of the file. */
export function useRedis(options: RedisOptions = {}): TestRedis {
  let server: RedisProcess | undefined;
  let client: Redis | undefined;

  beforeAll(async () => {
    server = await startRedis(options);
    client = plainClient(server.port);
  });
  beforeEach(async () => {
    await client?.flushall();
  });
  afterAll(async () => {
    client?.disconnect();
    await server?.stop();
  });

  return {
    get process() {
      return started(server);
    },
    get client() {
      return started(client);
    },
    get host() {
      return started(server).host;
    },
    get port() {
      return started(server).port;
    },
  };
}

/** A client for assertions: RESP2, waits for the server, silent while it is away. The caller disconnects it. */
export function plainClient(port: number): Redis {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    protocol: 2,
    maxRetriesPerRequest: null,
    retryStrategy: () => 50,
  });
  client.on('error', () => {}); // tests take the server away on purpose
  return client;
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('useRedis: the server runs only inside tests and hooks');
  return part;
}
