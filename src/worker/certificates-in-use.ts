import { areSame, stampOfFiles } from '../delivery/certificate-files.js';
import type { MainServer } from '../delivery/main-server.js';
import { readCredentials, type Credentials } from '../delivery/tls-credentials.js';
import type { WatchedCertificates } from '../duties/certificate-watch.js';
import type { Config } from '../shared/config/config.js';
import type { CertificateDates } from '../shared/ipc.js';
import type { WorkerMetrics } from '../shared/metrics/worker-metrics.js';
import type { Clock } from '../shared/time/clock.js';

interface CertificatesInUseOptions {
  readonly config: Pick<Config, 'mainServer' | 'tls'>;
  /** In use from the start. */
  readonly credentials: Credentials;
  readonly server: Pick<MainServer, 'useCredentials'>;
  readonly metrics: Pick<WorkerMetrics, 'setCertificateNotAfter'>;
  readonly clock: Clock;
}

/** The certificates that the main server is shown and judged by, and the files they are renewed from. */
export class CertificatesInUse implements WatchedCertificates<Credentials> {
  readonly #options: CertificatesInUseOptions;
  #current: Credentials;

  constructor(options: CertificatesInUseOptions) {
    this.#options = options;
    this.#current = options.credentials;
  }

  get current(): Credentials {
    return this.#current;
  }

  get dates(): readonly CertificateDates[] {
    return this.#current.notAfter;
  }

  stamp(): string {
    return stampOfFiles(this.#options.config);
  }

  read(): Credentials {
    const { config, clock } = this.#options;
    return readCredentials(config.tls, config.mainServer.verifyTls, clock.wallNow());
  }

  isCurrent(other: Credentials): boolean {
    return areSame(this.#current, other);
  }

  use(renewed: Credentials): void {
    this.#options.server.useCredentials(renewed);
    this.#current = renewed;
    this.showDates();
  }

  /** As metrics. */
  showDates(): void {
    for (const { file, notAfter } of this.dates) this.#options.metrics.setCertificateNotAfter(file, notAfter / 1000);
  }
}
