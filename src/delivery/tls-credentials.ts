/**
 * The worker's certificate, its key and the CA of the main server: read, and checked before anything is sent with them.
 * On the wire a certificate that the server refuses looks like any reset connection, so its faults are found here.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { certificateExpired } from '../shared/words/causes.js';
import type { Config } from '../shared/config/config.js';
import { CredentialsError, reasonOf } from '../shared/errors.js';
import { spoiledLine, spoiledLineIn } from '../shared/pem.js';

export interface Credentials {
  /** PEM; undefined = the system's roots, or no verification. */
  readonly ca: string | undefined;
  /** PEM, the leaf first; undefined = no client certificate. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** MAIN_SERVER_VERIFY_SSL. False still presents the client certificate. */
  readonly verify: boolean;
  readonly notAfter: readonly FileExpiry[];
}

interface FileExpiry {
  readonly file: string;
  /** Milliseconds since the Unix epoch. */
  readonly notAfter: number;
}

type TlsFiles = Omit<Config['tls'], 'checkIntervalMs'>;

/** None for an `http://` main server: nothing is read then. @throws CredentialsError */
export function credentialsFor(config: Pick<Config, 'mainServer' | 'tls'>, wallNowMs: number): Credentials | undefined {
  if (config.mainServer.url.startsWith('http://')) return undefined;
  return readCredentials(config.tls, config.mainServer.verifyTls, wallNowMs);
}

/** @throws CredentialsError naming the file, what is wrong and what would be right. */
export function readCredentials(tls: TlsFiles, verifyTls: boolean, wallNowMs: number): Credentials {
  const pair = tls.enabled ? readPair(tls, wallNowMs) : undefined;
  const authority = verifyTls && tls.caFile !== '' ? readAuthority(tls.caFile, wallNowMs) : undefined;
  return {
    ca: authority?.pem,
    cert: pair?.cert,
    key: pair?.key,
    verify: verifyTls,
    notAfter: [...(pair ? [pair.expiry] : []), ...(authority ? [authority.expiry] : [])],
  };
}

function readPair(tls: TlsFiles, wallNowMs: number) {
  const certificate: CertificateSource = {
    what: 'Worker certificate',
    setting: 'WORKER_CERT_PATH',
    path: tls.certFile,
  };
  const cert = readText(certificate);
  const key = readKeyText(tls);
  const leaf = firstOf(certificatesIn(cert, certificate));
  if (!leaf.checkPrivateKey(privateKeyIn(key, tls.keyFile))) {
    throw new CredentialsError(
      `The key ${tls.keyFile} does not belong to the certificate ${tls.certFile}; put the pair that was issued together`,
    );
  }
  checkDates(leaf, certificate, wallNowMs);
  const expiry: FileExpiry = { file: tls.certFile, notAfter: Date.parse(leaf.validTo) };
  return { cert, key, expiry };
}

/** A bundle may hold CAs that ended long ago: one that is valid will do. */
function readAuthority(path: string, wallNowMs: number): { pem: string; expiry: FileExpiry } {
  const source: CertificateSource = { what: 'CA certificate', setting: 'CA_CERT_PATH', path };
  const pem = readText(source);
  const authorities = certificatesIn(pem, source);
  const valid = authorities.filter((authority) => isValidAt(authority, wallNowMs));
  if (valid.length === 0) checkDates(firstOf(authorities), source, wallNowMs);
  const notAfter = Math.min(...valid.map((authority) => Date.parse(authority.validTo)));
  return { pem, expiry: { file: path, notAfter } };
}

interface Source {
  readonly what: string;
  readonly setting: string;
  readonly path: string;
}

interface CertificateSource extends Source {
  readonly what: `${string} certificate`;
}

function readText(source: Source): string {
  try {
    return readFileSync(source.path, 'utf8');
  } catch (error) {
    throw unreadable(source, error);
  }
}

function readKeyText(tls: TlsFiles): string {
  const source = { what: 'Worker key', setting: 'WORKER_KEY_PATH', path: tls.keyFile };
  let descriptor: number;
  try {
    descriptor = openSync(tls.keyFile, 'r');
  } catch (error) {
    throw unreadable(source, error);
  }
  try {
    // The mode of what was opened, not of what the path leads to a moment later.
    if (!tls.allowInsecureKeyMode) checkKeyMode(fstatSync(descriptor).mode, tls.keyFile);
    return readFileSync(descriptor, 'utf8');
  } catch (error) {
    throw error instanceof CredentialsError ? error : unreadable(source, error);
  } finally {
    closeSync(descriptor);
  }
}

/** Group-readable is allowed: 0640 with a service's group is common. Windows keeps no such bits. */
function checkKeyMode(mode: number, path: string): void {
  if (process.platform === 'win32' || (mode & 0o026) === 0) return;
  const bits = (mode & 0o777).toString(8).padStart(4, '0');
  throw new CredentialsError(
    `Worker key ${path} has mode ${bits}, so others than its owner can read or change it; run "chmod 600 ${path}"`,
  );
}

function unreadable(source: Source, error: unknown): CredentialsError {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  const text = isMissing
    ? `${source.what} not found at ${source.path} (${source.setting})`
    : `${source.what} ${source.path} (${source.setting}) cannot be read: ${reasonOf(error)}`;
  return new CredentialsError(text, { cause: error });
}

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificatesIn(pem: string, source: Source): X509Certificate[] {
  const spoiled = spoiledLineIn(pem);
  if (spoiled !== undefined) {
    const { what, path, setting } = source;
    throw new CredentialsError(`${what} ${path} (${setting}): ${spoiledLine(spoiled)}`);
  }
  try {
    const blocks = pem.match(PEM_BLOCK) ?? [];
    if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw noPem(source, error);
  }
  throw noPem(source, undefined);
}

function noPem({ what, path, setting }: Source, cause: unknown): CredentialsError {
  return new CredentialsError(`${what} ${path} (${setting}) holds no readable certificate in PEM format`, {
    cause,
  });
}

function firstOf(certificates: readonly X509Certificate[]): X509Certificate {
  const [first] = certificates;
  if (!first) throw new CredentialsError('A certificate file is empty');
  return first;
}

function privateKeyIn(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // No cause is passed on: nothing of a key may reach a log.
    if (/ENCRYPTED/.test(pem)) {
      throw new CredentialsError(`Worker key ${path} is protected by a passphrase; give a key without one`);
    }
    throw new CredentialsError(`Worker key ${path} (WORKER_KEY_PATH) holds no readable private key in PEM format`);
  }
}

function isValidAt(certificate: X509Certificate, wallNowMs: number): boolean {
  return Date.parse(certificate.validFrom) <= wallNowMs && wallNowMs < Date.parse(certificate.validTo);
}

function checkDates(certificate: X509Certificate, source: CertificateSource, wallNowMs: number): void {
  const day = (date: string) => new Date(date).toISOString().slice(0, 10);
  if (wallNowMs >= Date.parse(certificate.validTo)) {
    const text = certificateExpired(source.what, source.path, Date.parse(certificate.validTo));
    throw new CredentialsError(`${text}; renew it`);
  }
  if (wallNowMs < Date.parse(certificate.validFrom)) {
    throw new CredentialsError(
      `${source.what} ${source.path} is not valid before ${day(certificate.validFrom)}; check the clock of this host`,
    );
  }
}
