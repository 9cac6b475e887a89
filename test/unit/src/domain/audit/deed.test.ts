import fc from 'fast-check';
import { expect, test } from 'vitest';
import { auditFields, readAuditEntry } from '../../../../../src/domain/audit/deed.js';

const BY = { who: 'anna', where: 'web-1' };

test('a deed is read as it was written', () => {
  const fields = auditFields({ ...BY, action: 'purge', filter: { reason: 'poison' }, count: 12, detail: 'begins' });
  expect(readAuditEntry('1700000000000-3', fields)).toEqual({
    id: '1700000000000-3',
    atMs: 1_700_000_000_000,
    action: 'purge',
    ...BY,
    filter: '{"reason":"poison"}',
    count: 12,
    detail: 'begins',
  });
  expect(auditFields({ ...BY, action: 'stop', filter: {}, count: undefined })).toEqual([
    ...['action', 'stop'],
    ...['who', 'anna'],
    ...['where', 'web-1'],
  ]);
});

test('nothing makes an entry large: of a list the first ten stay, with how many there were', () => {
  const ids = Array.from({ length: 50_000 }, (_, at) => `m${at}`);
  const fields = auditFields({
    who: 'x'.repeat(9_000),
    where: 'web-1',
    action: 'cancel',
    filter: { ids, text: 'y'.repeat(9_000) },
    detail: 'z'.repeat(9_000),
  });
  const { filter, who } = readAuditEntry('1-0', fields);
  expect(JSON.parse(filter!)).toMatchObject({ ids: [...ids.slice(0, 10), 'and 49990 more'] });
  expect(who).toHaveLength(301);
  expect(fields.join('').length).toBeLessThan(5_000);
});

test('whatever another program wrote can be read', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string()), (id, fields) => {
      const entry = readAuditEntry(id, fields);
      expect(typeof entry.action).toBe('string');
      expect(entry.count === undefined || Number.isFinite(entry.count)).toBe(true);
    }),
  );
});
