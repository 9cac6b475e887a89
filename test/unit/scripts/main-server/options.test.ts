import { describe, expect, test } from 'vitest';
import { noFaults } from '../../../../scripts/main-server/faults.js';
import { parseCommandLine } from '../../../../scripts/main-server/options.js';

const {
  serialMs,
  poolSize,
  freezeMs,
  unknownForMs,
  unknownSpreadMs,
  maxPerSecond,
  retryAfterS,
  outageEveryMs,
  outageForMs,
  slowStartMs,
} = noFaults();
const GOOD = {
  serialMs,
  poolSize,
  freezeMs,
  unknownForMs,
  unknownSpreadMs,
  maxPerSecond,
  retryAfterS,
  outageEveryMs,
  outageForMs,
  slowStartMs,
};
const mannersOf = (...args: string[]) => {
  const line = parseCommandLine(args);
  return line.kind === 'run' ? line.options.manners : line;
};

describe('the command line of the development main server', () => {
  test('without anything it speaks plain HTTP on a free port and fails nothing', () => {
    expect(parseCommandLine([])).toEqual({
      kind: 'run',
      options: {
        port: 0,
        host: '127.0.0.1',
        tls: undefined,
        post: { failRate: 0, failFirst: 0, delayMs: 0 },
        manners: GOOD,
      },
    });
  });

  test('everything can be given', () => {
    const tls = ['--cert', 'a', '--key', 'b', '--ca', 'c'];
    const faults = ['--fail-rate', '0.25', '--fail-first', '2', '--delay-ms', '100'];
    expect(parseCommandLine(['--port', '8443', '--host', '::1', ...tls, ...faults])).toEqual({
      kind: 'run',
      options: {
        port: 8443,
        host: '::1',
        tls: { cert: 'a', key: 'b', ca: 'c' },
        post: { failRate: 0.25, failFirst: 2, delayMs: 100 },
        manners: GOOD,
      },
    });
  });

  test('one flag makes it behave as the real one was measured, and others change that', () => {
    const original = { ...GOOD, serialMs: 6, poolSize: 30, freezeMs: 30_000, unknownForMs: 20, unknownSpreadMs: 70 };
    expect(mannersOf('--like-original')).toEqual(original);
    expect(mannersOf('--like-original', '--pool', '10', '--freeze-ms', '2000', '--register-late', '0')).toEqual({
      ...original,
      poolSize: 10,
      freezeMs: 2_000,
      unknownForMs: 0,
      unknownSpreadMs: 0,
    });
  });

  test('each of its manners has a flag', () => {
    const late = ['--serial-ms', '3', '--pool', '5', '--freeze-ms', '7', '--register-late', '20-90'];
    const refusing = ['--max-per-second', '9', '--retry-after', '11', '--outage-every', '60', '--slow-start-ms', '13'];
    expect(mannersOf(...late, ...refusing)).toEqual({
      serialMs: 3,
      poolSize: 5,
      freezeMs: 7,
      unknownForMs: 20,
      unknownSpreadMs: 70,
      maxPerSecond: 9,
      retryAfterS: 11,
      outageEveryMs: 60_000,
      outageForMs: 10_000,
      slowStartMs: 13,
    });
  });

  test.each([
    [
      ['--register-late', '90-20'],
      '--register-late is "90-20"; give milliseconds, as in 50, or from the least to the most, as in 20-90.',
    ],
    [['--pool', 'small'], '--pool is "small"; it must be a whole number from 0 to 3600000.'],
    [['--port', '65536'], '--port is "65536"; it must be a whole number from 0 to 65535.'],
    [['--fail-rate', '2'], '--fail-rate is "2"; it must be a number from 0 to 1.'],
    [['--cert', 'a'], '--cert, --key and --ca belong together: give all three for TLS, or none for plain HTTP.'],
    [['--prot', '1'], "unknown option '--prot' (Did you mean --port?); see --help."],
    [['8443'], 'too many arguments. Expected 0 arguments but got 1.; see --help.'],
  ])('%j is refused in one sentence', (args, sentence) => {
    expect(parseCommandLine(args)).toEqual({ kind: 'wrong', sentence });
  });
});
