import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { startMainServer, type DevMainServer } from '../../../scripts/main-server/server.js';
import type { CertificateFiles } from '../../../supervisor/certificates/certificates.js';

/**
 * One main server for the test file, cleared before each test. With `certificates` it requires a client certificate,
 * without it speaks plain HTTP. Call it at the top level of the file, after useCertificates.
 */
export function useMainServer(certificates?: { readonly files: CertificateFiles }): { readonly server: DevMainServer } {
  let server: DevMainServer | undefined;

  beforeAll(async () => {
    server = await startMainServer(certificates ? { tls: pemsOf(certificates.files) } : {});
  });
  beforeEach(() => server?.clear());
  afterAll(() => server?.close());

  return {
    get server() {
      if (!server) throw new Error('useMainServer: the server runs only inside tests and hooks');
      return server;
    },
  };
}

export function pemsOf(files: CertificateFiles): { cert: string; key: string; ca: string } {
  const pem = (path: string) => readFileSync(path, 'utf8');
  return { cert: pem(files.serverCert), key: pem(files.serverKey), ca: pem(files.caCert) };
}
