import { describe, expect, it } from 'vitest';
import { certificateWarnings, expiringCertificates } from '../../../../src/domain/certificate-expiry.js';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 0, 1);
const after = (days: number) => ({ notAfter: [{ file: 'worker.crt', notAfter: NOW + days * DAY_MS }] });

describe('certificateWarnings', () => {
  it.each([
    [31, undefined],
    [30, 30],
    [8, 30],
    [7, 7],
    [2, 7],
    [1, 1],
    [0.1, 1],
    [0, 0],
    [-5, 0],
  ])('%d days left: within %s', (days, withinDays) => {
    expect(expiringCertificates(after(days), NOW)[0]?.withinDays).toBe(withinDays);
  });

  it('is one sentence for each file', () => {
    expect(certificateWarnings(after(30), NOW)).toEqual([
      'Certificate worker.crt expires in 30 days, on 2026-01-31; renew it',
    ]);
    expect(certificateWarnings(after(0.5), NOW)[0]).toContain('expires in 1 day, on 2026-01-01');
    expect(certificateWarnings(after(-1), NOW)[0]).toContain('ended on 2025-12-31');
  });
});
