/**
 * Writes X.509 certificates (RFC 5280) with node:crypto: EC P-256 keys, ECDSA with SHA-256, version 3.
 *
 * A page of DER serves better here than a package: `@peculiar/x509` needs a reflection polyfill and 300 ms to load.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
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
  readonly privateKey: KeyObject;
  readonly keyId: Buffer;
}

interface LeafRequest {
  readonly commonName: string;
  readonly usage: 'server' | 'client';
  /** DNS names and addresses for subjectAltName. */
  readonly hosts?: readonly string[];
  readonly validity: Validity;
}

export function createAuthority(name: string, validity: Validity): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyId = keyIdentifier(publicKey);
  const extensions = [
    extension('2.5.29.19', sequence(TRUE), true), // basicConstraints: CA
    extension('2.5.29.15', bits(0b0000_0110, 1), true), // keyUsage: keyCertSign, cRLSign
    extension('2.5.29.14', tagged(0x04, keyId)), // subjectKeyIdentifier
  ];
  const certificate = { subject: name, publicKey, validity, extensions };
  const cert = signedBy({ name, privateKey }, certificate);
  return { name, privateKey, keyId, cert, key: pemOf(privateKey) };
}

export function issue(authority: Authority, request: LeafRequest): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const purpose = request.usage === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2';
  const extensions = [
    extension('2.5.29.19', sequence(), true), // basicConstraints: no CA
    extension('2.5.29.15', bits(0b1000_0000, 7), true), // keyUsage: digitalSignature
    extension('2.5.29.37', sequence(oid(purpose))), // extKeyUsage
    extension('2.5.29.35', sequence(tagged(0x80, authority.keyId))), // authorityKeyIdentifier
  ];
  if (request.hosts?.length) extensions.push(extension('2.5.29.17', sequence(...request.hosts.map(alternativeName))));
  const certificate = { subject: request.commonName, publicKey, validity: request.validity, extensions };
  return { cert: signedBy(authority, certificate), key: pemOf(privateKey) };
}

interface Certificate {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
  readonly extensions: readonly Buffer[];
}

const TRUE = Buffer.from([0x01, 0x01, 0xff]);
const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));

function signedBy(issuer: Pick<Authority, 'name' | 'privateKey'>, certificate: Certificate): string {
  const { validity } = certificate;
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))), // version 3
    tagged(0x02, serialNumber()),
    ECDSA_SHA256,
    distinguishedName(issuer.name),
    sequence(time(validity.notBefore), time(validity.notAfter)),
    distinguishedName(certificate.subject),
    certificate.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...certificate.extensions)),
  );
  const der = sequence(body, ECDSA_SHA256, bitString(sign('sha256', body, issuer.privateKey)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}

/** 15 random bytes, positive and without a leading zero. */
function serialNumber(): Buffer {
  const serial = randomBytes(15);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

function distinguishedName(commonName: string): Buffer {
  const attribute = sequence(oid('2.5.4.3'), tagged(0x0c, Buffer.from(commonName)));
  return sequence(tagged(0x31, attribute));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [TRUE] : []), tagged(0x04, value));
}

function alternativeName(host: string): Buffer {
  return isIP(host) ? tagged(0x87, addressBytes(host)) : tagged(0x82, Buffer.from(host, 'ascii'));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = [], tail = []] = address.split('::').map((part) => part.split(':').filter(Boolean));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5). */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/\.\d+|[-:T]/g, '');
  return date.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

function bits(value: number, unused: number): Buffer {
  return tagged(0x03, Buffer.from([unused, value]));
}

function bitString(content: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), content]));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function tagged(tag: number, content: Buffer): Buffer {
  const length = content.length;
  const header =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}
