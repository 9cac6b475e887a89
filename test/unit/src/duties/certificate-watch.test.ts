import { beforeEach, describe, expect, test } from 'vitest';
import { CertificateWatch } from '../../../../src/duties/certificate-watch.js';
import { systemClock, type Clock } from '../../../../src/shared/time/clock.js';
import type { Log } from '../../../../src/shared/logger/log.js';

const DAY_MS = 86_400_000;
const INTERVAL_MS = 15_000;
const REST_MS = 1_000;

interface Pair {
  readonly name: string;
  readonly notAfter: readonly { readonly file: string; readonly notAfter: number }[];
}

let wallNow = 0;
let files: { stamp: string; content: Pair | Error };
let used: string[];
let lines: string[];
const clock: Clock = { ...systemClock, now: () => 0, wallNow: () => wallNow };
const log: Log = {
  debug: (text) => lines.push(text),
  info: (text) => lines.push(text),
  warn: (text) => lines.push(`WARNING ${text}`),
  error: (text) => lines.push(`ERROR ${text}`),
};

const pair = (name: string, days = 90): Pair => ({
  name,
  notAfter: [{ file: 'worker.crt', notAfter: days * DAY_MS }],
});

beforeEach(() => {
  wallNow = 0;
  files = { stamp: '1', content: pair('first') };
  used = [];
  lines = [];
});

function watchOf(first: Pair, intervalMs = INTERVAL_MS): CertificateWatch<Pair> {
  let current = first;
  const certificates = {
    get current() {
      return current;
    },
    stamp: () => files.stamp,
    read: () => {
      if (files.content instanceof Error) throw files.content;
      return files.content;
    },
    isCurrent: ({ name }: Pair) => name === current.name,
    use: (renewed: Pair) => {
      current = renewed;
      used.push(renewed.name);
    },
  };
  return new CertificateWatch({ certificates, stampWhenRead: '1', intervalMs, clock, log });
}

function change(stamp: string, content: Pair | Error): void {
  files = { stamp, content };
}

describe('renewed files', () => {
  test('go into use when they have rested for a second', () => {
    const watch = watchOf(pair('first'));
    expect(watch.look()).toBe(INTERVAL_MS);
    change('2', pair('second'));
    expect(watch.look()).toBe(REST_MS);
    expect(used).toEqual([]);
    expect(watch.look()).toBe(INTERVAL_MS);
    expect(used).toEqual(['second']);
    expect(lines).toEqual(['The certificate files were renewed and are in use: worker.crt until 1970-04-01']);
    watch.look();
    expect(used).toEqual(['second']);
  });

  test('are left alone while they change', () => {
    const watch = watchOf(pair('first'));
    for (const stamp of ['2', '3', '4']) {
      change(stamp, pair('half'));
      expect(watch.look()).toBe(REST_MS);
    }
    expect(used).toEqual([]);
  });

  test('that changed before the first look are seen', () => {
    change('2', pair('second'));
    const watch = watchOf(pair('first'));
    watch.look();
    watch.look();
    expect(used).toEqual(['second']);
  });

  test('with the same content change nothing', () => {
    const watch = watchOf(pair('first'));
    change('2', pair('first'));
    watch.look();
    watch.look();
    expect(used).toEqual([]);
    expect(lines).toEqual([]);
  });
});

describe('bad files', () => {
  test('leave the former pair in use, are named once and tried again', () => {
    const watch = watchOf(pair('first'));
    change('2', new Error('The key does not belong to the certificate'));
    for (let look = 0; look < 5; look++) watch.look();
    expect(used).toEqual([]);
    expect(lines).toEqual([
      'ERROR The changed certificate files are not used, what was read before stays in use: The key does not belong to the certificate',
    ]);
    files.content = pair('second'); // without another stamp: it was not valid yet
    watch.look();
    expect(used).toEqual(['second']);
  });

  test('are named again after good ones', () => {
    const watch = watchOf(pair('first'));
    for (const [stamp, content] of Object.entries({ 2: new Error('bad'), 3: pair('second'), 4: new Error('bad') })) {
      change(stamp, content);
      watch.look();
      watch.look();
    }
    expect(used).toEqual(['second']);
    expect(lines.filter((line) => line.startsWith('ERROR'))).toHaveLength(2);
  });

  test('that are put back are forgotten', () => {
    const watch = watchOf(pair('first'));
    change('2', new Error('bad'));
    watch.look();
    watch.look();
    change('1', pair('first'));
    watch.look();
    expect(watch.look()).toBe(INTERVAL_MS);
    expect(used).toEqual([]);
    expect(lines).toHaveLength(1);
  });
});

test('an interval of 0 leaves the files alone', () => {
  const watch = watchOf(pair('first'), 0);
  change('2', pair('second'));
  for (let look = 0; look < 3; look++) expect(watch.look()).toBe(3_600_000);
  expect(used).toEqual([]);
});

test('warnings come 30, 7 and 1 days before the end and at it, once each, and for a renewed file anew', () => {
  const watch = watchOf(pair('first', 40));
  const warnedAt: number[] = [];
  for (let day = 0; day <= 45; day += 0.25) {
    wallNow = day * DAY_MS;
    const before = lines.length;
    watch.look();
    if (lines.length > before) warnedAt.push(day);
  }
  expect(warnedAt).toEqual([10, 33, 39, 40]);
  expect(lines[1]).toBe('WARNING Certificate worker.crt expires in 7 days, on 1970-02-10; renew it');
  expect(lines[3]).toBe('WARNING The certificate has expired: worker.crt ended on 1970-02-10; renew it');
  change('2', pair('second', 60));
  watch.look();
  watch.look();
  expect(lines.at(-1)).toContain('expires in 15 days');
});
