import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../../../scripts/bench/options.js';
import { packageRoot } from '../../../../src/shared/config/package-root.js';

describe('the command line of the benchmark', () => {
  test('a full run measures the throughput at three concurrencies and keeps the results', () => {
    expect(parseCommandLine([])).toMatchObject({
      kind: 'run',
      options: {
        parts: { throughput: true, latency: false, growth: false },
        concurrencies: [4, 16, 64],
        rounds: 20,
        out: expect.stringMatching(/docs.bench$/) as string,
        against: undefined,
      },
    });
  });

  test.each([['--quick'], ['--rounds', '5'], ['--concurrency', '4'], ['--profile']])(
    'a changed run (%s %s) writes nothing unless it is told where',
    (...args) => {
      expect(parseCommandLine(args)).toMatchObject({ kind: 'run', options: { out: undefined } });
      const out = expect.stringMatching(/somewhere$/) as string;
      expect(parseCommandLine([...args, '--out', 'somewhere'])).toMatchObject({ kind: 'run', options: { out } });
    },
  );

  test.each([
    ['--cold', 'cold'],
    ['--failures', 'failures'],
    ['--frozen-server', 'frozenServer'],
    ['--real-order', 'realOrder'],
    ['--growth', 'growth'],
    ['--operator', 'operator'],
  ])('%s measures that part alone', (flag, part) => {
    const line = parseCommandLine([flag]);
    const parts = line.kind === 'run' ? line.options.parts : {};
    expect(Object.entries(parts).flatMap(([name, isWanted]) => (isWanted ? [name] : []))).toEqual([part]);
  });

  test('and all of them can be measured in one run', () => {
    const line = parseCommandLine(['--all', '--quick']);
    const parts = line.kind === 'run' ? Object.values(line.options.parts) : [];
    expect(parts).toEqual(Array.from({ length: 8 }, () => true));
  });

  test('another checkout has to be a built one', () => {
    expect(parseCommandLine(['--against', `${packageRoot}/docs`])).toEqual({
      kind: 'wrong',
      sentence: `--against is "${packageRoot}/docs", which holds no built checkout (dist/supervisor/cli.js).`,
    });
  });

  test.each([
    [['--rounds', '0'], '--rounds is "0"; it must be a whole number from 1 to 1000.'],
    [['--concurrency', '4,many'], '--concurrency is "many"; it must be a whole number from 1 to 10000.'],
    [['--quik'], "unknown option '--quik' (Did you mean --quick?); see --help."],
    [['now'], 'too many arguments. Expected 0 arguments but got 1.; see --help.'],
  ])('%j is refused in one sentence', (args, sentence) => {
    expect(parseCommandLine(args)).toEqual({ kind: 'wrong', sentence });
  });
});
