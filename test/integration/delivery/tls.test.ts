import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CertificateFiles } from '../../../supervisor/certificates/certificates.js';
import { startMainServer, type DevMainServer } from '../../../scripts/main-server/server.js';
import { createAuthority, issue } from '../../../supervisor/certificates/x509.js';
import { readCredentials } from '../../../src/delivery/tls-credentials.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { useCertificates } from '../../support/main-server/certificates.js';
import { testConfig } from '../../support/program/config.js';
import { tlsFiles, useClients, within } from '../../support/main-server/delivery.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { pemsOf, useMainServer } from '../../support/main-server/main-server.js';
import { makeCertificates, validFor } from '../../support/main-server/pki.js';
import { HANGS_MS } from '../../support/wait-for.js';

expectNoLeftovers();
const certificates = useCertificates();
const main = useMainServer(certificates);
const clients = useClients(certificates);
const never = new AbortController().signal;

describe('the main server refuses us', () => {
  it('without a client certificate', async () => {
    const outcome = await clients
      .create(main.server.url, { overrides: { tls: { enabled: false } } })
      .deliver('a', never);
    expect(outcome).toMatchObject({ kind: 'failed', reachable: false });
    expect(main.server.ledger.posts).toBe(0);
  });

  it('with a certificate that has expired since it was read: the reason is ours', async () => {
    const workerValidity = validFor(-1);
    const directory = await mkdtemp(join(tmpdir(), 'expired-'));
    const { authority } = certificates.files;
    const files = await makeCertificates({ directory, authority, workerValidity });
    const wasValid = Date.now() - 86_400_000 - 1_800_000;
    const { tls } = testConfig({ tls: tlsFiles(files) });
    const credentials = readCredentials({ ...tls, caFile: '' }, true, wasValid);
    const ca = certificates.files.authority.cert;
    const client = clients.create(main.server.url, { credentials: { ...credentials, ca } });
    const outcome = await client.deliver('a', never);
    const put = await client.updateStatus(
      'a',
      { status: 'queued', attemptCount: 1, errorMessage: 'x' },
      within(HANGS_MS),
      never,
    );
    await rm(directory, { recursive: true });
    for (const result of [outcome, put]) {
      expect(result).toMatchObject({
        reason: 'tls',
        detail: expect.stringMatching(/our own certificate has expired: .*worker\.crt ended on/) as string,
      });
    }
    expect(main.server.ledger.posts).toBe(0);
  });

  it('with a certificate of another authority: a bare reset, not repeated', async () => {
    const pair = await issue(await createAuthority('Other CA', validFor(1)), {
      commonName: 'stranger',
      usage: 'client',
      validity: validFor(1),
    });
    const own = readCredentials(testConfig({ tls: tlsFiles(certificates.files) }).tls, true, Date.now());
    const client = clients.create(main.server.url, { credentials: { ...own, ...pair } });
    expect(await client.deliver('a', never)).toMatchObject({ reason: 'connection_reset', reachable: false });
    expect(main.server.ledger.posts).toBe(0);
  });
});

describe('we refuse the main server', () => {
  let directory: string;
  let server: DevMainServer | undefined;
  beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), 'refused-'))));
  afterEach(async () => server?.close());
  afterAll(() => rm(directory, { recursive: true }));

  const serve = async (files: CertificateFiles) => (server = await startMainServer({ tls: pemsOf(files) }));

  it('whose certificate has expired', async () => {
    const { authority } = certificates.files;
    const { url, ledger } = await serve(await makeCertificates({ directory, authority, serverValidity: validFor(-1) }));
    expect(await clients.create(url).deliver('a', never)).toMatchObject({ reason: 'tls', reachable: false });
    expect(ledger.posts).toBe(0);
  });

  it('whose certificate names another host', async () => {
    const { authority } = certificates.files;
    const { url } = await serve(await makeCertificates({ directory, authority, hosts: ['other.example'] }));
    const detail = expect.stringContaining('localhost') as string;
    expect(await clients.create(url).deliver('a', never)).toMatchObject({ reason: 'tls', detail });
    expect(await clients.create(url).probe()).toBe('unreachable');
  });

  it('whose certificate comes from another authority', async () => {
    const { url, clients: names } = await serve(await makeCertificates({ directory }));
    expect(await clients.create(url).deliver('a', never)).toMatchObject({ reason: 'tls' });
    expect(names).toEqual([]);
  });
});

describe('MAIN_SERVER_VERIFY_SSL=false', () => {
  it('takes any server and still presents the client certificate', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'unverified-'));
    const { authority } = certificates.files;
    const foreign = await issue(await createAuthority('Foreign', validFor(1)), {
      commonName: 'x',
      usage: 'server',
      validity: validFor(1),
    });
    const server = await startMainServer({ tls: { ...foreign, ca: authority.cert } });
    const overrides = { mainServer: { verifyTls: false } };
    const client = clients.create(server.url, { overrides });
    expect(await client.deliver('a', never)).toEqual({ kind: 'delivered', status: 200 });
    const update = { status: 'queued', attemptCount: 1, errorMessage: 'x' } as const;
    expect((await client.updateStatus('a', update, within(HANGS_MS), never)).kind).toBe('delivered');
    expect(await client.probe()).toBe('reachable');
    expect(new Set(server.clients)).toEqual(new Set(['worker']));
    await server.close();
    await rm(directory, { recursive: true });
  });
});

describe('a plain http:// main server', () => {
  it('works, and no certificate is read', async () => {
    const server = await startMainServer();
    const client = clients.create(server.url, { overrides: { tls: { certFile: '/nowhere/worker.crt' } } });
    expect((await client.deliver('a', never)).kind).toBe('delivered');
    expect(await client.probe()).toBe('reachable');
    await server.close();
  });

  it('behind an https:// URL is a TLS fault', async () => {
    const server = await startMainServer();
    const outcome = await clients.create(`https://localhost:${server.port}`).deliver('a', never);
    expect(outcome).toMatchObject({ reason: 'tls', reachable: false });
    await server.close();
  });
});

describe('key material', () => {
  it('stays out of what a mismatch says', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mismatch-'));
    const files = await makeCertificates({ directory });
    await writeFile(files.workerKey, certificates.files.authority.key);
    const { tls } = testConfig({ tls: tlsFiles(files) });
    expect(() => readCredentials(tls, true, systemClock.wallNow())).toThrow(/does not belong to the certificate/);
    await rm(directory, { recursive: true });
  });
});
