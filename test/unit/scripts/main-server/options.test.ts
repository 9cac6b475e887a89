import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../../../scripts/main-server/options.js';

describe('the command line of the development main server', () => {
  test('without anything it speaks plain HTTP on a free port and fails nothing', () => {
    expect(parseCommandLine([])).toEqual({
      kind: 'run',
      options: {
        port: 0,
        host: '127.0.0.1',
        tls: undefined,
        post: { failRate: 0, failFirst: 0, delayMs: 0 },
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
      },
    });
  });

  test.each([
    [['--port', '65536'], '--port is "65536"; it must be a whole number from 0 to 65535.'],
    [['--fail-rate', '2'], '--fail-rate is "2"; it must be a number from 0 to 1.'],
    [['--cert', 'a'], '--cert, --key and --ca belong together: give all three for TLS, or none for plain HTTP.'],
    [['--prot', '1'], "unknown option '--prot' (Did you mean --port?); see --help."],
    [['8443'], 'too many arguments. Expected 0 arguments but got 1.; see --help.'],
  ])('%j is refused in one sentence', (args, sentence) => {
    expect(parseCommandLine(args)).toEqual({ kind: 'wrong', sentence });
  });
});
