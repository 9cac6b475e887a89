/** Certificates as of now; time is an argument of the real ones. */
import {
  makeCertificates as makeCertificatesAt,
  validFor as validForAt,
  type CertificateFiles,
  type CertificateOptions,
} from '../../../supervisor/certificates/certificates.js';
import type { Validity } from '../../../supervisor/certificates/x509.js';

export type PkiOptions = Omit<CertificateOptions, 'wallNow'>;

export function makeCertificates(options: PkiOptions): Promise<CertificateFiles> {
  return makeCertificatesAt({ ...options, wallNow: Date.now() });
}

export function validFor(days: number): Validity {
  return validForAt(days, Date.now());
}
