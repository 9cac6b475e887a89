import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { useCertificates } from '../../support/main-server/certificates.js';
import { validFor } from '../../support/main-server/pki.js';
import { isAlive, stateOf } from '../../support/program/processes.js';
import { useProgram } from '../../support/program/program.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { plainClient, useRedis } from '../../support/redis/redis.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';
import { createAuthority, issue } from '../../../supervisor/certificates/x509.js';
import { findProgram, ProgramMissingError } from '../../../scripts/local/find-program.js';

expectNoLeftovers();

describe('a private Redis', () => {
  // answered when it is in the file: otherwise a busy disk puts the write off, and the kill takes it
  const redis = useRedis({ appendonly: true, args: ['--appendfsync', 'always'] });

  it('serves, keeps what it held through a kill, and freezes', async () => {
    await redis.client.lpush('list', 'a');
    const { pid } = redis.process;
    await redis.process.kill();
    await redis.process.restart();
    expect(redis.process.pid).not.toBe(pid);
    expect(await redis.client.lrange('list', 0, -1)).toEqual(['a']);
    redis.process.freeze();
    await waitFor(() => stateOf(redis.process.pid) === 'T', { what: 'the kernel to have stopped it' });
    redis.process.thaw();
    expect(await redis.client.ping()).toBe('PONG');
  });

  it('is empty at the start of each test', async () => {
    expect(await redis.client.dbsize()).toBe(0);
  });

  describe('behind the proxy', () => {
    let proxy: TcpProxy | undefined;
    afterEach(async () => proxy?.close());

    it('passes, goes silent, passes again', async () => {
      proxy = await startTcpProxy(redis.port);
      const client = plainClient(proxy.port);
      expect(await client.ping()).toBe('PONG');
      await proxy.setMode('blackhole');
      let answered = false;
      const held = client.ping().finally(() => (answered = true));
      // the same Redis answers others many times meanwhile
      for (let asked = 0; asked < 100; asked++) await redis.client.ping();
      expect(answered).toBe(false);
      await proxy.setMode('pass');
      expect(await held).toBe('PONG');
      client.disconnect();
    });

    it('refuses, resets and comes back', async () => {
      proxy = await startTcpProxy(redis.port);
      const errorOf = async (port: number) => {
        const socket = connect(port, '127.0.0.1');
        socket.once('connect', () => socket.write('PING\r\n'));
        const [outcome] = (await Promise.race([once(socket, 'data'), once(socket, 'end')]).catch((error: unknown) => [
          error,
        ])) as unknown[];
        socket.destroy();
        return outcome instanceof Error && 'code' in outcome ? outcome.code : String(outcome).trim();
      };
      await proxy.setMode('refuse');
      expect(await errorOf(proxy.port)).toBe('ECONNREFUSED');
      await proxy.setMode('reset');
      expect(await errorOf(proxy.port)).toBe('ECONNRESET');
      await proxy.setMode('fin');
      expect(await errorOf(proxy.port)).toBe('undefined');
      await proxy.setMode('pass');
      expect(await errorOf(proxy.port)).toBe('+PONG');
      proxy.cutAfter(3);
      expect(await errorOf(proxy.port)).toMatch(/^(\+PO|ECONNRESET)$/);
    });
  });
});

describe('certificates', () => {
  it('takes any name to the letter', async () => {
    const name = `Wörker, O=x #"1" + 'a'`;
    const authority = await createAuthority(name, validFor(1));
    const { cert } = await issue(authority, { commonName: name, usage: 'client', validity: validFor(1) });
    const { subject, issuer } = new X509Certificate(cert).toLegacyObject();
    expect([subject.CN, issuer.CN]).toEqual([name, name]);
  });

  const certificates = useCertificates({ hosts: ['localhost', '127.0.0.1', '::1', 'fe80::1:2'] });

  it('fit together, name their hosts and keep their keys private', async () => {
    const { files } = certificates;
    const ca = new X509Certificate(files.authority.cert);
    expect(ca.ca).toBe(true);
    const text = execFileSync('openssl', [
      'verify',
      '-x509_strict',
      '-CAfile',
      files.caCert,
      files.serverCert,
      files.workerCert,
    ]);
    expect(text.toString().match(/OK/g)).toHaveLength(2);
    const server = execFileSync('openssl', [
      'x509',
      '-in',
      files.serverCert,
      '-noout',
      '-ext',
      'subjectAltName',
    ]).toString();
    expect(server).toContain(
      'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:FE80:0:0:0:0:0:1:2',
    );
    expect((await stat(files.workerKey)).mode & 0o777).toBe(0o600);
  });
});

describe('a program', () => {
  const start = useProgram();
  const folder = mkdtempSync(join(tmpdir(), 'orphan-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is watched, signalled, and ended with its orphans', async () => {
    const program = start({ script: orphanMaker(folder), args: [], env: { GREETING: 'hello' } });
    expect(await program.waitForLine(/^hello from/)).toMatch(/hello from \d+/);
    await waitFor(() => program.descendants().length === 1, { what: 'the child' });
    const [orphan = 0] = program.descendants();
    program.signal('SIGKILL');
    expect(await program.waitForExit()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(program.descendants()).toEqual([orphan]);
    expect(isAlive(orphan)).toBe(true);
    await program.destroy();
    // a dying process loses its environment, by which it is found, a moment before it is gone
    await waitFor(() => !isAlive(orphan), { what: 'the orphan to be gone' });
    await expect(program.waitForLine(/never/)).rejects.toThrow('the program ended');
  });
});

/** A program that starts a child which outlives it. */
function orphanMaker(folder: string): string {
  const script = join(folder, 'program.cjs');
  writeFileSync(
    script,
    `require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
     console.log(process.env.GREETING + ' from ' + process.pid);`,
  );
  return script;
}

describe('findProgram', () => {
  it('says what to do where a program is missing and may not be installed', async () => {
    const otherwise = { linux: 'Get it.', darwin: 'Get it.', win32: 'Get it.' };
    const missing = findProgram({ names: ['no-such-program'], debianPackage: 'none', otherwise }, { install: false });
    await expect(missing).rejects.toThrow(ProgramMissingError);
    await expect(missing).rejects.toThrow('Found no no-such-program on the PATH. Get it.');
  });
});
