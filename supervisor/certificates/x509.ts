/**
 * X.509 certificates (RFC 5280): EC P-256 keys, ECDSA with SHA-256, version 3.
 *
 * The library takes 0.3 s to load, since it reads its schemas by reflection: import this file only where certificates are made.
 */
import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  type Extension,
} from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

interface Pair {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface Authority extends Pair {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

interface LeafRequest {
  readonly commonName: string;
  readonly usage: 'server' | 'client';
  /** DNS names and addresses for subjectAltName. */
  readonly hosts?: readonly string[];
  readonly validity: Validity;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export async function createAuthority(name: string, validity: Validity): Promise<Authority> {
  const keys = await newKeys();
  const extensions = [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    await SubjectKeyIdentifierExtension.create(keys.publicKey),
  ];
  const cert = await signedBy({ name, keys }, { subject: name, keys, validity, extensions });
  return { name, keys, cert, key: await pemOf(keys) };
}

export async function issue(authority: Authority, request: LeafRequest): Promise<Pair> {
  const { commonName: subject, usage, hosts = [], validity } = request;
  const keys = await newKeys();
  const purpose = usage === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth;
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([purpose]),
    await AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
  ];
  if (hosts.length > 0) extensions.push(new SubjectAlternativeNameExtension(hosts.map(alternativeName)));
  return { cert: await signedBy(authority, { subject, keys, validity, extensions }), key: await pemOf(keys) };
}

interface Certificate {
  readonly subject: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly validity: Validity;
  readonly extensions: Extension[];
}

/** The generator chooses a random serial number of 16 bytes. */
async function signedBy(issuer: Pick<Authority, 'name' | 'keys'>, certificate: Certificate): Promise<string> {
  const { subject, keys, validity, extensions } = certificate;
  const made = await X509CertificateGenerator.create({
    issuer: commonName(issuer.name),
    subject: commonName(subject),
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    ...validity,
    extensions,
  });
  return `${made.toString('pem')}\n`;
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function pemOf({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY')}\n`;
}

/** As a typed value: in a text, commas, quotes and # would mean something. */
function commonName(name: string): Name {
  return new Name([{ CN: [{ utf8String: name }] }]);
}

function alternativeName(host: string) {
  return { type: isIP(host) ? 'ip' : 'dns', value: host } as const;
}
