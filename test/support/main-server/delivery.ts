import { afterEach } from 'vitest';
import type { CertificateFiles } from '../../../supervisor/certificates/certificates.js';
import { MainServerClient } from '../../../src/delivery/main-server-client.js';
import { credentialsFor, type Credentials } from '../../../src/delivery/tls-credentials.js';
import type { Config } from '../../../src/shared/config/config.js';
import { systemClock, type Clock } from '../../../src/shared/time/clock.js';
import { Deadline } from '../../../src/shared/time/deadline.js';
import { testConfig, type ConfigOverrides } from '../program/config.js';

interface ClientOptions {
  readonly overrides?: ConfigOverrides;
  readonly clock?: Clock;
  /** In place of what the configured files hold. */
  readonly credentials?: Credentials;
}

interface TestClients {
  create(url: string, options?: ClientOptions): MainServerClient;
  /** Text of every log line of every client. */
  readonly lines: string[];
}

/** Clients of the main server, stopped after each test. Call it at the top level of the file, after useCertificates. */
export function useClients(certificates?: { readonly files: CertificateFiles }): TestClients {
  const open: MainServerClient[] = [];
  const lines: string[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.stop()));
    lines.length = 0;
  });

  return {
    lines,
    create(url, { overrides = {}, clock = systemClock, credentials } = {}) {
      const files = certificates ? tlsFiles(certificates.files) : {};
      const config = testConfig({
        ...overrides,
        mainServer: { url, ...overrides.mainServer },
        tls: { ...files, ...overrides.tls },
      });
      const client = newClient({
        config,
        credentials: credentials ?? credentialsFor(config, clock.wallNow()),
        clock,
        onLine: (text) => void lines.push(text),
      });
      open.push(client);
      return client;
    },
  };
}

/** The caller stops it. */
export function newClient(options: {
  readonly config: Config;
  readonly credentials: Credentials | undefined;
  readonly clock?: Clock;
  readonly onLine?: (text: string) => void;
}): MainServerClient {
  const { config, credentials, clock = systemClock, onLine: log = () => undefined } = options;
  const quiet = { debug: log, info: log, warn: log, error: log };
  return new MainServerClient({ config, credentials, workerId: 'worker-1', clock, random: () => 0.5, log: quiet });
}

/** From now on. */
export function within(ms: number, clock: Clock = systemClock): Deadline {
  return new Deadline(ms, clock);
}

export function tlsFiles(files: CertificateFiles): { certFile: string; keyFile: string; caFile: string } {
  return { certFile: files.workerCert, keyFile: files.workerKey, caFile: files.caCert };
}
