import type { Config } from '../../../src/shared/config/config.js';

export type ConfigOverrides = { readonly [Section in keyof Config]?: Partial<Config[Section]> };

/** A complete configuration for tests: ports 0, short waits, nothing outside 127.0.0.1. */
export function testConfig(overrides: ConfigOverrides = {}): Config {
  return {
    redis: {
      host: '127.0.0.1',
      port: 0,
      db: 0,
      username: '',
      password: '',
      tls: false,
      tlsCaFile: '',
      sentinels: [],
      sentinelName: '',
      sentinelPassword: '',
      sentinelTls: false,
      clusterNodes: [],
      ...overrides.redis,
    },
    queue: {
      name: 'message_queue',
      reliable: true,
      messageMaxBytes: 67_108_864,
      deadLetterDays: 0,
      failureAnswers: true,
      sideBooksMaxBytes: 134_217_728,
      ...overrides.queue,
    },
    mainServer: {
      url: 'http://127.0.0.1:1',
      deliverEndpoint: '/internal/messages/deliver',
      healthEndpoint: '/health',
      timeoutMs: 30_000,
      maxConnectionAgeMs: 300_000,
      verifyTls: true,
      notFoundGraceMs: 2_000,
      maxInFlight: 0,
      maxRate: 0,
      ...overrides.mainServer,
    },
    tls: {
      enabled: true,
      certFile: 'certs/worker.crt',
      keyFile: 'certs/worker.key',
      caFile: 'certs/ca.crt',
      allowInsecureKeyMode: false,
      checkIntervalMs: 15_000,
      ...overrides.tls,
    },
    worker: {
      id: '',
      count: 1,
      concurrency: 4,
      control: 'fixed',
      retryIntervalMs: 30_000,
      maxAttempts: 10_000,
      batchSize: 10,
      shutdownTimeoutMs: 25_000,
      maxMemoryBytes: 0,
      ...overrides.worker,
    },
    metrics: { enabled: true, host: '127.0.0.1', port: 0, ...overrides.metrics },
    logging: {
      level: 'INFO',
      directory: 'logs',
      fileName: 'worker.log',
      format: 'text',
      retentionDays: 7,
      maxDayBytes: 0,
      messages: 'all',
      ...overrides.logging,
    },
    supervisor: { host: '127.0.0.1', port: 0, runtimeDir: '', adminToken: '', ...overrides.supervisor },
  };
}
