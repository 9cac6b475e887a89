/** Makes a certificate authority of one's own and what it signs for the main server and the worker. For development and tests. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority, issue, type Authority, type Validity } from './x509.js';

export interface CertificateOptions {
  /** Made when missing; files of the same names are replaced. */
  readonly directory: string;
  /** Names and addresses of the main server; default localhost, 127.0.0.1 and ::1. */
  readonly hosts?: readonly string[];
  /** How long everything is valid; default 825, the longest that all TLS stacks take for a leaf. */
  readonly days?: number;
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
const DAY_MS = 86_400_000;

/** Writes ca, server and worker `.crt` and `.key`; keys are readable by their owner only. */
export async function makeCertificates(options: CertificateOptions): Promise<CertificateFiles> {
  const validity = validFor(options.days ?? 825);
  const authority = options.authority ?? createAuthority('Message Broker development CA', validity);
  const server = issue(authority, {
    commonName: 'main-server',
    usage: 'server',
    hosts: options.hosts ?? LOCAL_HOSTS,
    validity: options.serverValidity ?? validity,
  });
  const worker = issue(authority, {
    commonName: options.workerName ?? 'worker',
    usage: 'client',
    validity: options.workerValidity ?? validity,
  });
  await mkdir(options.directory, { recursive: true });
  const file = (name: string) => join(options.directory, name);
  const files: CertificateFiles = {
    directory: options.directory,
    authority,
    caCert: file('ca.crt'),
    caKey: file('ca.key'),
    serverCert: file('server.crt'),
    serverKey: file('server.key'),
    workerCert: file('worker.crt'),
    workerKey: file('worker.key'),
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

/** From an hour ago, so that a peer whose clock is slow takes it, until `days` from now. Negative days = expired. */
export function validFor(days: number): Validity {
  const now = Date.now();
  const notAfter = now + days * DAY_MS;
  return { notBefore: new Date(Math.min(now, notAfter) - 3_600_000), notAfter: new Date(notAfter) };
}

/** writeFile's mode serves new files only. */
async function writeKey(path: string, key: string): Promise<void> {
  await writeFile(path, key, { mode: 0o600 });
  await chmod(path, 0o600);
}
