import { certificateExpired } from '../shared/words/causes.js';

const DAY_MS = 86_400_000;
const STEPS = [0, 1, 7, 30] as const;

interface CertificateWarning {
  readonly file: string;
  /** The narrowest of 30, 7, 1 and 0 days that holds: who repeats the check warns once for each. 0 = it has ended. */
  readonly withinDays: (typeof STEPS)[number];
  /** One sentence for the log. */
  readonly text: string;
}

interface Expiring {
  /** `notAfter` in milliseconds since the Unix epoch. */
  readonly notAfter: readonly { readonly file: string; readonly notAfter: number }[];
}

/** One sentence for each file that ends within 30 days, or has ended. Pure. */
export function certificateWarnings(credentials: Expiring, wallNowMs: number): string[] {
  return expiringCertificates(credentials, wallNowMs).map((warning) => warning.text);
}

export function expiringCertificates(credentials: Expiring, wallNowMs: number): CertificateWarning[] {
  return credentials.notAfter.flatMap(({ file, notAfter }) => {
    const leftMs = notAfter - wallNowMs;
    const withinDays = STEPS.find((days) => leftMs <= days * DAY_MS);
    return withinDays === undefined ? [] : [{ file, withinDays, text: sentence(file, notAfter, leftMs) }];
  });
}

function sentence(file: string, notAfter: number, leftMs: number): string {
  if (leftMs <= 0) return `${certificateExpired('The certificate', file, notAfter)}; renew it`;
  const date = new Date(notAfter).toISOString().slice(0, 10);
  const days = Math.ceil(leftMs / DAY_MS);
  return `Certificate ${file} expires in ${days} ${days === 1 ? 'day' : 'days'}, on ${date}; renew it`;
}
