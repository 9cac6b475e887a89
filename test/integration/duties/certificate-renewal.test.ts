import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { areSame, stampOfFiles } from '../../../src/delivery/certificate-files.js';
import { readCredentials } from '../../../src/delivery/tls-credentials.js';
import { useCertificates } from '../../support/main-server/certificates.js';
import { testConfig } from '../../support/program/config.js';
import { tlsFiles, useClients, within } from '../../support/main-server/delivery.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { makeCertificates } from '../../support/main-server/pki.js';
import { HANGS_MS, waitFor } from '../../support/wait-for.js';

expectNoLeftovers();
const certificates = useCertificates();
const main = useMainServer(certificates);
const clients = useClients(certificates);
const never = new AbortController().signal;
const QUEUED = { status: 'queued', attemptCount: 1, errorMessage: 'x' } as const;
let directory: string;

beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'renewal-'))));
afterEach(() => rmSync(directory, { recursive: true }));

const named = (workerName: string, folder = join(directory, workerName)) =>
  makeCertificates({ directory: folder, authority: certificates.files.authority, workerName });

async function credentialsNamed(workerName: string) {
  const { tls } = testConfig({ tls: { ...tlsFiles(await named(workerName)), caFile: certificates.files.caCert } });
  return readCredentials(tls, true, Date.now());
}

describe('useCredentials', () => {
  test('shows the new certificate to the next POST, PUT and probe', async () => {
    const client = clients.create(main.server.url);
    await client.deliver('a', never);
    await client.updateStatus('a', QUEUED, within(HANGS_MS), never);
    expect(new Set(main.server.clients)).toEqual(new Set(['worker']));
    client.useCredentials(await credentialsNamed('renewed'));
    const before = main.server.clients.length;
    expect((await client.deliver('b', never)).kind).toBe('delivered');
    expect((await client.updateStatus('b', QUEUED, within(HANGS_MS), never)).kind).toBe('delivered');
    expect(await client.probe()).toBe('reachable');
    expect(new Set(main.server.clients.slice(before))).toEqual(new Set(['renewed']));
  });

  test('lets what is under way end, and closes its sockets then', async () => {
    main.server.faults.post.delayMs = 300;
    main.server.faults.put.delayMs = 300;
    const client = clients.create(main.server.url);
    const underWay = [client.deliver('a', never), client.updateStatus('a', QUEUED, within(HANGS_MS), never)];
    await waitFor(() => main.server.ledger.of('a').length === 2, { what: 'both requests' });
    client.useCredentials(await credentialsNamed('renewed'));
    expect((await Promise.all(underWay)).map(({ kind }) => kind)).toEqual(['delivered', 'delivered']);
    await waitFor(() => main.server.connections.open === 0, { what: 'the former sockets to be closed' });
  });

  test('stop ends what is under way on former credentials, too', async () => {
    main.server.faults.post.hang = true;
    const client = clients.create(main.server.url);
    const hanging = client.deliver('a', never);
    await waitFor(() => main.server.ledger.posts === 1, { what: 'the POST' });
    client.useCredentials(await credentialsNamed('renewed'));
    await client.stop();
    expect((await hanging).kind).toBe('aborted');
    await waitFor(() => main.server.connections.open === 0, { what: 'the sockets to be closed' });
  });

  test('that no TLS context can be made of changes nothing', async () => {
    const client = clients.create(main.server.url);
    const good = await credentialsNamed('renewed');
    expect(() => client.useCredentials({ ...good, key: 'no key' })).toThrow();
    expect((await client.deliver('a', never)).kind).toBe('delivered');
  });
});

describe('stampOfFiles', () => {
  const configOf = (folder: string) => {
    const { mainServer, tls } = testConfig({
      tls: {
        certFile: join(folder, 'worker.crt'),
        keyFile: join(folder, 'worker.key'),
        caFile: join(folder, 'ca.crt'),
      },
    });
    return { mainServer, tls };
  };

  test('changes with content, mode and absence, and stays when nothing happens', async () => {
    const files = await named('one');
    const config = configOf(files.directory);
    const stamps = [stampOfFiles(config)];
    expect(stampOfFiles(config)).toBe(stamps[0]);
    writeFileSync(files.workerCert, 'other');
    stamps.push(stampOfFiles(config));
    chmodSync(files.workerKey, 0o644);
    stamps.push(stampOfFiles(config));
    rmSync(files.caCert);
    stamps.push(stampOfFiles(config));
    expect(new Set(stamps).size).toBe(4);
  });

  test('changes when a file cannot be looked at any more', async () => {
    const files = await named('one');
    const config = configOf(files.directory);
    const before = stampOfFiles(config);
    rmSync(files.workerKey);
    symlinkSync(files.workerKey, files.workerKey); // leads to itself
    const broken = stampOfFiles(config);
    expect(broken).not.toBe(before);
    expect(stampOfFiles(config)).toBe(broken);
  });

  test('changes when a link on the way is swapped, as Kubernetes does', async () => {
    for (const name of ['one', 'two']) await named(name);
    symlinkSync(join(directory, 'one'), join(directory, '..data'));
    mkdirSync(join(directory, 'mount'));
    for (const name of ['worker.crt', 'worker.key', 'ca.crt'])
      symlinkSync(join('..', '..data', name), join(directory, 'mount', name));
    const config = configOf(join(directory, 'mount'));
    const before = stampOfFiles(config);
    symlinkSync(join(directory, 'two'), join(directory, '..data_tmp'));
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
    expect(stampOfFiles(config)).not.toBe(before);
  });

  test('leaves out what is not read', async () => {
    const files = await named('one');
    const { mainServer, tls } = configOf(files.directory);
    const config = { mainServer: { ...mainServer, verifyTls: false }, tls: { ...tls, enabled: false } };
    const before = stampOfFiles(config);
    writeFileSync(files.workerCert, 'other');
    writeFileSync(files.caCert, 'other');
    expect(stampOfFiles(config)).toBe(before);
  });
});

test('a pair that was copied anew is the same pair', async () => {
  const files = await named('one');
  const read = () => readCredentials(testConfig({ tls: tlsFiles(files) }).tls, true, Date.now());
  const first = read();
  copyFileSync(files.workerCert, `${files.workerCert}.copy`);
  renameSync(`${files.workerCert}.copy`, files.workerCert);
  expect(areSame(first, read())).toBe(true);
  expect(areSame(first, await credentialsNamed('two'))).toBe(false);
});
