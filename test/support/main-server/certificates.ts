import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { CertificateFiles } from '../../../supervisor/certificates/certificates.js';
import { makeCertificates, type PkiOptions } from './pki.js';

/** One set of certificates for the test file, in a temporary folder. Call it at the top level of the file. */
export function useCertificates(options: Omit<PkiOptions, 'directory'> = {}): {
  readonly files: CertificateFiles;
} {
  let directory: string | undefined;
  let files: CertificateFiles | undefined;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'certificates-'));
    files = await makeCertificates({ ...options, directory });
  });
  afterAll(async () => {
    if (directory) await rm(directory, { recursive: true, force: true });
  });

  return {
    get files() {
      if (!files) throw new Error('useCertificates: the files exist only inside tests and hooks');
      return files;
    },
  };
}
