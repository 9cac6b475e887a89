import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CertificateFiles } from '../../../../supervisor/certificates/certificates.js';
import { createAuthority } from '../../../../supervisor/certificates/x509.js';
import { credentialsFor, readCredentials } from '../../../../src/delivery/tls-credentials.js';
import type { Config } from '../../../../src/shared/config/config.js';
import { CredentialsError } from '../../../../src/shared/errors.js';
import { testConfig } from '../../../support/program/config.js';
import { tlsFiles } from '../../../support/main-server/delivery.js';
import { makeCertificates, validFor } from '../../../support/main-server/pki.js';

const DAY_MS = 86_400_000;
let directory: string;
let files: CertificateFiles;
let tls: Config['tls'];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'credentials-'));
  files = await makeCertificates({ directory, days: 90 });
  tls = testConfig({ tls: tlsFiles(files) }).tls;
});
afterEach(() => rmSync(directory, { recursive: true }));

const read = (changes: Partial<Config['tls']> = {}, now = Date.now()) =>
  readCredentials({ ...tls, ...changes }, true, now);

describe('readCredentials', () => {
  it('gives what TLS and the metrics need', () => {
    const credentials = read();
    expect(credentials.notAfter.map(({ file }) => file)).toEqual([files.workerCert, files.caCert]);
    expect(credentials.notAfter[0]?.notAfter).toBeCloseTo(Date.now() + 90 * DAY_MS, -5);
  });

  it.each([
    ['certFile', 'Worker certificate not found at /nowhere/x'],
    ['keyFile', 'Worker key not found at /nowhere/x'],
    ['caFile', 'CA certificate not found at /nowhere/x'],
  ] as const)('names the missing file: %s', (field, text) => {
    expect(() => read({ [field]: '/nowhere/x' })).toThrow(text);
    expect(() => read({ [field]: '/nowhere/x' })).toThrow(CredentialsError);
  });

  it('reads only what is asked for', () => {
    expect(read({ enabled: false, certFile: '/nowhere' })).toMatchObject({ cert: undefined, key: undefined });
    expect(readCredentials({ ...tls, caFile: '/nowhere' }, false, Date.now())).toMatchObject({
      ca: undefined,
      verify: false,
    });
    expect(read({ caFile: '' }).ca).toBeUndefined();
    const config = testConfig({ mainServer: { url: 'http://x' }, tls: { certFile: '/nowhere' } });
    expect(credentialsFor(config, Date.now())).toBeUndefined();
  });

  it('refuses a pair that does not belong together', async () => {
    copyFileSync(files.serverKey, files.workerKey);
    expect(() => read()).toThrow(CredentialsError);
    expect(() => read()).toThrow(`The key ${files.workerKey} does not belong to the certificate ${files.workerCert}`);
  });

  it.each(['workerCert', 'workerKey', 'caCert'] as const)('refuses a half-written file: %s', (name) => {
    const text = readFileSync(files[name], 'utf8');
    writeFileSync(files[name], text.slice(0, text.length / 2));
    expect(() => read()).toThrow(CredentialsError);
    writeFileSync(files[name], '');
    expect(() => read()).toThrow(CredentialsError);
  });

  it.each([
    ['joined without a line break', (ca: string, other: string) => ca.trimEnd() + other, 'trimmed'],
    ['behind a byte order mark', (ca: string) => `\ufeff${ca}`, 'first'],
    ['indented', (ca: string) => ca.replaceAll(/^/gm, '  '), 'first'],
  ])('refuses authorities that OpenSSL would leave out, with the line: %s', async (_, spoil, where) => {
    const ca = readFileSync(files.caCert, 'utf8');
    const line = where === 'first' ? 1 : ca.trimEnd().split('\n').length;
    writeFileSync(files.caCert, spoil(ca, (await createAuthority('other', validFor(90))).cert));
    expect(() => read()).toThrow(CredentialsError);
    expect(() => read()).toThrow(`CA certificate ${files.caCert} (CA_CERT_PATH): line ${line} holds`);
  });

  it('takes authorities with a line break between them, with the line ends of Windows and with words beside them', async () => {
    const ca = readFileSync(files.caCert, 'utf8');
    const other = (await createAuthority('other', validFor(90))).cert;
    writeFileSync(files.caCert, `# ours\n${ca}\n\n# theirs\n${other}`.replaceAll('\n', '\r\n'));
    expect(read().ca).toContain('theirs');
  });

  it('refuses a key with a passphrase, without a word of it', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const sealed = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' });
    writeFileSync(files.workerKey, sealed);
    expect(() => read()).toThrow(`Worker key ${files.workerKey} is protected by a passphrase; give a key without one`);
  });

  it('refuses what has expired or is not valid yet, with file and date', () => {
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    const later = Date.now() + 91 * DAY_MS;
    expect(() => read({ caFile: '' }, later)).toThrow(
      `Worker certificate has expired: ${files.workerCert} ended on ${day(Date.now() + 90 * DAY_MS)}; renew it`,
    );
    expect(() => read({ enabled: false }, later)).toThrow(`CA certificate has expired: ${files.caCert} ended on`);
    expect(() => read({ caFile: '' }, Date.now() - 2 * DAY_MS)).toThrow('is not valid before');
  });

  it('takes a CA bundle in which one is valid', async () => {
    const old = (await createAuthority('Old', validFor(-10))).cert;
    writeFileSync(files.caCert, old + files.authority.cert);
    expect(read().ca).toContain(old);
  });

  it.each([0o644, 0o604, 0o620, 0o602, 0o666])('refuses a key of mode %o', (mode) => {
    chmodSync(files.workerKey, mode);
    expect(() => read()).toThrow(`run "chmod 600 ${files.workerKey}"`);
    expect(read({ allowInsecureKeyMode: true }).key).toBeDefined();
  });

  it.each([0o600, 0o400, 0o640])('takes a key of mode %o', (mode) => {
    chmodSync(files.workerKey, mode);
    expect(read().key).toBeDefined();
  });
});
