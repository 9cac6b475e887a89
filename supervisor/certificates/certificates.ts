/** Makes a certificate authority of one's own and what it signs for the main server and the worker. For development and tests. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Authority, Validity } from './x509.js';

export interface CertificateOptions {
  /** Made when missing; files of the same names are replaced. */
  readonly directory: string;
  /** Names and addresses of the main server; default localhost, 127.0.0.1 and ::1. */
  readonly hosts?: readonly string[];
  /** How long everything is valid from `wallNow` on; default DEFAULT_DAYS. */
  readonly days?: number;
  /** Milliseconds since the Unix epoch. */
  readonly wallNow: number;
  readonly serverValidity?: Validity;
  readonly workerValidity?: Validity;
  readonly workerName?: string;
  /** Signs the leafs in place of a new authority. */
  readonly authority?: Authority;
}

/** Absolute or relative paths, as `directory` was. */
export interface CertificateFiles {
  readonly directory: string;
  readonly authority: Authority;
  readonly caCert: string;
  readonly caKey: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly workerCert: string;
  readonly workerKey: string;
}

export const LOCAL_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '::1'];
/** The longest that all TLS stacks take for a leaf. */
export const DEFAULT_DAYS = 825;
const DAY_MS = 86_400_000;

const NAMES = {
  caCert: 'ca.crt',
  caKey: 'ca.key',
  serverCert: 'server.crt',
  serverKey: 'server.key',
  workerCert: 'worker.crt',
  workerKey: 'worker.key',
} as const;
/** What makeCertificates writes. */
export const FILE_NAMES: readonly string[] = Object.values(NAMES);

/** Writes ca, server and worker `.crt` and `.key`; keys are readable by their owner only. */
export async function makeCertificates(options: CertificateOptions): Promise<CertificateFiles> {
  const { createAuthority, issue } = await import('./x509.js');
  const validity = validFor(options.days ?? DEFAULT_DAYS, options.wallNow);
  const authority = options.authority ?? (await createAuthority('Message Broker development CA', validity));
  const server = await issue(authority, {
    commonName: 'main-server',
    usage: 'server',
    hosts: options.hosts ?? LOCAL_HOSTS,
    validity: options.serverValidity ?? validity,
  });
  const worker = await issue(authority, {
    commonName: options.workerName ?? 'worker',
    usage: 'client',
    validity: options.workerValidity ?? validity,
  });
  await mkdir(options.directory, { recursive: true });
  const file = (name: keyof typeof NAMES) => join(options.directory, NAMES[name]);
  const files: CertificateFiles = {
    directory: options.directory,
    authority,
    caCert: file('caCert'),
    caKey: file('caKey'),
    serverCert: file('serverCert'),
    serverKey: file('serverKey'),
    workerCert: file('workerCert'),
    workerKey: file('workerKey'),
  };
  await Promise.all([
    writeFile(files.caCert, authority.cert),
    writeKey(files.caKey, authority.key),
    writeFile(files.serverCert, server.cert),
    writeKey(files.serverKey, server.key),
    writeFile(files.workerCert, worker.cert),
    writeKey(files.workerKey, worker.key),
  ]);
  return files;
}

/**
 * From an hour ago, so that a peer whose clock is slow takes it, until `days` from now. Negative days = expired.
 *
 * @param wallNow milliseconds since the Unix epoch.
 */
export function validFor(days: number, wallNow: number): Validity {
  const notAfter = wallNow + days * DAY_MS;
  return { notBefore: new Date(Math.min(wallNow, notAfter) - 3_600_000), notAfter: new Date(notAfter) };
}

/** writeFile's mode serves new files only. */
async function writeKey(path: string, key: string): Promise<void> {
  await writeFile(path, key, { mode: 0o600 });
  await chmod(path, 0o600);
}
