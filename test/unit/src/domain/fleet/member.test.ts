import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memberField, presenceText, readMember, type Presence } from '../../../../../src/domain/fleet/member.js';

const PRESENCE: Presence = {
  kind: 'supervisor',
  pid: 71,
  version: '2.0.0',
  state: 'running',
  isReady: false,
  reason: 'Redis cannot be reached',
  workersReady: 2,
  workersWanted: 3,
  deliveredPerSecond: 12.345,
  failedPerSecond: 0,
  uptimeSeconds: 61.9,
};

test('what is said is read again, rates to a tenth and times to a second', () => {
  const field = memberField({ host: 'host-a', instance: '9099' });
  expect(field).toBe('host-a/9099');
  expect(readMember(field, `1764150000123 supervisor.ab.1 ${presenceText(PRESENCE)}`)).toEqual({
    ...PRESENCE,
    ...{ host: 'host-a', instance: '9099', writer: 'supervisor.ab.1', saidAt: 1764150000123 },
    ...{ deliveredPerSecond: 12.3, uptimeSeconds: 61 },
  });
});

test('an instance may have slashes and blanks, a host none', () => {
  const field = memberField({ host: 'a/b', instance: 'worker 1/x' });
  expect(readMember(field, `1 w ${presenceText(PRESENCE)}`)).toMatchObject({ host: 'a-b', instance: 'worker 1/x' });
});

test('a word and a name stay short, whatever is in them', () => {
  const text = fc.string({ maxLength: 400, unit: 'binary' });
  fc.assert(
    fc.property(text, text, (reason, name) => {
      const word = presenceText({ ...PRESENCE, reason, version: name });
      expect(word.length).toBeLessThan(2_000);
      const field = memberField({ host: name, instance: name });
      expect(field.length).toBeLessThan(140);
      const read = readMember(field, `5 w ${Buffer.from(word).toString()}`);
      expect(read?.reason?.slice(0, 190)).toBe(reason.slice(0, 190));
    }),
    { numRuns: 20 },
  );
});

test.each([
  ['no-slash', `1 w ${presenceText(PRESENCE)}`],
  ['a/b', ''],
  ['a/b', 'x w {}'],
  ['a/b', '1 w'],
  ['a/b', '1 w {'],
  ['a/b', '1 w null'],
  ['a/b', '1 w {"state":"asleep"}'],
])('%s → %s is nobody’s word', (field, text) => {
  expect(readMember(field, text)).toBeUndefined();
});

test('what a word lacks is nothing, and what it has too much is passed over', () => {
  expect(readMember('a/b', '1 w {"state":"stopped","pid":"x","workersReady":-1,"mood":"fine"}')).toEqual({
    ...{ host: 'a', instance: 'b', writer: 'w', saidAt: 1, kind: 'supervisor', state: 'stopped', version: '' },
    ...{ isReady: false, reason: undefined, pid: 0, workersReady: 0, workersWanted: 0 },
    ...{ deliveredPerSecond: 0, failedPerSecond: 0, uptimeSeconds: 0 },
  });
});

test('a time that no calendar has is nobody’s word, and whatever else is too large can be shown', () => {
  expect(readMember('a/b', '9999999999999999 w {"state":"running"}')).toBeUndefined();
  const member = readMember('a/b', '999999999999999 w {"state":"running","uptimeSeconds":1e300}');
  expect(new Date(member?.saidAt ?? NaN).toISOString()).toBe('+033658-09-27T01:46:39.999Z');
  expect(new Date(-1_000 * (member?.uptimeSeconds ?? NaN)).getTime()).not.toBeNaN();
});
