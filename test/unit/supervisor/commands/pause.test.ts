import { expect, test } from 'vitest';
import { runProgram } from '../../../../supervisor/program.js';

test.each([
  [['--for', 'soon'], /--for is "soon"; it must be a time such as 90s, 15m, 2h or 7d, from 1s to 366d/],
  [['--for', '0'], /--for is "0"/],
  [['--for', '10'], /--for is "10": say 10s, 10m or 10h/],
  [['--for', '1.5'], /--for is "1.5": say 1.5s, 1.5m or 1.5h/],
  [['--for', '010'], /--for is "010": say /],
  [['--for', '400d'], /--for is "400d"/],
  [['--reason', 'x'.repeat(301)], /--reason may have 300 characters at most/],
])('pause %s is wrong usage, and nothing is asked of Redis', async (flags, says) => {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  expect(await runProgram(['pause', ...flags], { env: {}, cwd: '/', print, printError: print })).toBe(2);
  expect(lines.join('\n')).toMatch(says);
});
