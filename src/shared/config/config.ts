/** The complete, validated configuration. Frozen; plain JSON, because the primary sends it to its children. */
export interface Config {
  readonly redis: {
    readonly host: string;
    readonly port: number;
    readonly db: number;
    readonly username: string;
    readonly password: string;
    readonly tls: boolean;
    /** CA file for Redis over TLS; empty = the system's roots. */
    readonly tlsCaFile: string;
    readonly sentinels: readonly HostPort[];
    readonly sentinelName: string;
    readonly sentinelPassword: string;
    readonly sentinelTls: boolean;
    readonly clusterNodes: readonly HostPort[];
  };
  readonly queue: {
    readonly name: string;
    /** false = the original's plain BRPOP: what a dying worker held is lost. */
    readonly reliable: boolean;
    /** A message of more bytes is not parsed. */
    readonly messageMaxBytes: number;
    /** Dead letters are deleted when they are older; 0 = never. */
    readonly deadLetterDays: number;
    /** What the main server answers to a failed attempt is kept with the message. */
    readonly failureAnswers: boolean;
    /** What is kept in Redis beside the messages, all of it together; 0 = nothing. */
    readonly sideBooksMaxBytes: number;
  };
  readonly mainServer: {
    /** Origin and optional base path, without a slash at the end. */
    readonly url: string;
    readonly deliverEndpoint: string;
    readonly healthEndpoint: string;
    readonly timeoutMs: number;
    /** 0 = a kept connection may live for ever. */
    readonly maxConnectionAgeMs: number;
    readonly verifyTls: boolean;
    readonly notFoundGraceMs: number;
    /** Requests of all workers on this queue together; 0 = no cap. */
    readonly maxInFlight: number;
    /** Messages per second of all workers on this queue together; 0 = no limit. */
    readonly maxRate: number;
  };
  readonly tls: {
    /** false = present no client certificate. */
    readonly enabled: boolean;
    readonly certFile: string;
    readonly keyFile: string;
    readonly caFile: string;
    readonly allowInsecureKeyMode: boolean;
    /** 0 = the files are read at the start and at each reload only. */
    readonly checkIntervalMs: number;
  };
  readonly worker: {
    /** Empty = `worker-<i>` under the supervisor, `worker-<pid>` alone. */
    readonly id: string;
    readonly count: number;
    readonly concurrency: number;
    readonly control: 'adaptive' | 'fixed';
    readonly retryIntervalMs: number;
    readonly maxAttempts: number;
    readonly batchSize: number;
    readonly shutdownTimeoutMs: number;
    /** 0 = no limit. */
    readonly maxMemoryBytes: number;
  };
  readonly metrics: {
    readonly enabled: boolean;
    readonly host: string;
    readonly port: number;
  };
  readonly logging: {
    readonly level: LogLevel;
    readonly directory: string;
    readonly fileName: string;
    readonly format: 'text' | 'json';
    readonly retentionDays: number;
    /** Of a day's log files; 0 = no limit. */
    readonly maxDayBytes: number;
    /** Of which messages INFO lines tell. */
    readonly messages: 'all' | 'failures';
  };
  readonly supervisor: {
    readonly host: string;
    readonly port: number;
    readonly runtimeDir: string;
    readonly adminToken: string;
  };
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';

const SECTIONS = {
  redis: true,
  queue: true,
  mainServer: true,
  tls: true,
  worker: true,
  metrics: true,
  logging: true,
  supervisor: true,
} satisfies Readonly<Record<keyof Config, true>>;

/** Whether it has all sections. What stands in them the table of settings guarantees, as it was when they were filled. */
export function isConfig(value: unknown): value is Config {
  if (typeof value !== 'object' || value === null) return false;
  const sections = new Map<string, unknown>(Object.entries(value));
  return Object.keys(SECTIONS).every((name) => typeof sections.get(name) === 'object' && sections.get(name) !== null);
}
