/** The quickstart's config.yaml: everything the supervisor needs to know, and what a demonstration has shorter. */
import type { CertificateFiles } from '../../supervisor/certificates/certificates.js';
import type { RunFolder } from './folder.js';

export const RETRY_INTERVAL_S = 2;
const DRAIN_S = 5;
/** Of a worker at a main server like the real one: three of them are more than it bears, so each has to find its limit. */
const CONCURRENCY = 16;

interface DemoConfigOptions {
  readonly workers: number;
  readonly likeOriginal: boolean;
  readonly folder: RunFolder;
  readonly certificates: CertificateFiles;
  readonly mainServerUrl: string;
  readonly ports: { readonly supervisor: number; readonly metrics: number };
  /** Of the private Redis; undefined = the environment says where Redis is. */
  readonly redisPort: number | undefined;
  readonly queueName: string;
}

/** The contents of config.yaml. */
export function demoConfig(options: DemoConfigOptions): object {
  const { workers, likeOriginal, folder, certificates, mainServerUrl, ports, redisPort, queueName } = options;
  const place = redisPort === undefined ? {} : { host: '127.0.0.1', port: redisPort };
  return {
    redis: { ...place, queue_name: queueName },
    main_server: { url: mainServerUrl },
    tls: { cert_file: certificates.workerCert, key_file: certificates.workerKey, ca_file: certificates.caCert },
    worker: {
      count: workers,
      ...(likeOriginal && { concurrency: CONCURRENCY }),
      retry_interval: RETRY_INTERVAL_S,
      shutdown_timeout: DRAIN_S,
    },
    metrics: { host: '127.0.0.1', port: ports.metrics },
    logging: { directory: folder.logs },
    supervisor: { host: '127.0.0.1', port: ports.supervisor, runtime_dir: folder.path },
  };
}
