import type { CertificateStatus } from '../../../status/status-document.js';
import { printable } from '../../../../src/shared/words/escape.js';
import * as format from '../format.js';
import { createTable } from './table.js';

const SOON_MS = 30 * 86_400_000;

/** @param now ms since the Unix epoch, by the supervisor's clock. */
export function createCertificatesTable(
  place: HTMLElement,
): (certificates: readonly CertificateStatus[], now: number) => void {
  const table = createTable(place, {
    caption: 'Certificates and when they end',
    columns: [{ title: 'File', kind: 'text' }, { title: 'Valid until' }, { title: 'That is' }],
    empty: 'The workers present no certificate.',
    testid: 'certificates',
  });
  return (certificates, now) =>
    table.show(
      certificates.map(({ file, not_after: end, expired }) => {
        const left = Date.parse(end) - now;
        return {
          key: file,
          attributes: { 'data-ends': expired ? 'past' : left < SOON_MS ? 'soon' : 'later' },
          cells: [printable(file, 300), format.dateTime(end), expired ? 'over' : `in ${format.days(left / 1_000)}`],
        };
      }),
    );
}
