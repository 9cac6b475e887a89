/** The commands on a terminal, which `script` of util-linux lends them: `status --watch`, and progress of long work. */
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';

import { useMainServer } from '../../support/main-server/main-server.js';
import { useProgram } from '../../support/program/program.js';
import { QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { startOperated } from '../fixtures/operated.js';
import { CLI, hasTerminal, openTerminal } from '../fixtures/terminal.js';

const redis = useRedis();
const main = useMainServer();
useProgram();
const opened: (() => void)[] = [];
afterEach(() => opened.splice(0).forEach((close) => close()));

interface Terminal {
  /** All that was written to it. */
  shown(): string;
  /** Ctrl-C. */
  interrupt(): void;
  ended(): Promise<number | null>;
}

function onTerminal(args: readonly string[], env: Readonly<Record<string, string>>): Terminal {
  const line = [process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ');
  const child = openTerminal(`stty cols 100 rows 30; exec ${line}`, { home: '/tmp', env });
  opened.push(() => child.kill('SIGKILL'));
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
  const exited = once(child, 'close');
  return {
    shown: () => shown,
    interrupt: () => void child.stdin.write('\x03'),
    ended: async () => ((await exited) as [number | null])[0],
  };
}

describe.skipIf(!hasTerminal)('on a terminal', () => {
  test('status --watch fills the screen, shows the throughput, and gives the terminal back', async () => {
    const operated = await startOperated({ redisPort: redis.port, mainServerUrl: main.server.url });
    await operated.untilReady();
    const terminal = onTerminal(['status', '--watch'], operated.env);
    await waitFor(() => terminal.shown().includes('FLOWING'), { what: 'the first frame' });
    await redis.client.lpush(QUEUE, ...Array.from({ length: 30 }, (_, at) => JSON.stringify({ message_id: `m${at}` })));
    await waitFor(() => /delivered: \d+\.\d\/s now, [1-9][\d.]*\/s at most in \d+ s/.test(terminal.shown()), {
      what: 'the throughput',
    });
    expect(terminal.shown()).toMatch(/▁*█/);
    terminal.interrupt();
    expect(await terminal.ended()).toBe(0);
    const shown = terminal.shown();
    expect(shown.startsWith('\x1b[?1049h\x1b[?25l')).toBe(true);
    expect(shown.trimEnd().endsWith('\x1b[?25h\x1b[?1049l')).toBe(true);
    // no line is longer than the terminal, or it would wrap and push the table out of its place
    const lines = shown.replace(/\x1b\[[?\d]*[a-zA-Z]/g, '').split(/\r+\n/);
    expect(lines.some((line) => line.trimEnd().endsWith('RESTARTS'))).toBe(true);
    expect(lines.some((line) => /^in flight is limited by (?:concurrency|demand|server)/.test(line))).toBe(true);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test('sending many shows how far it is, and clears that line', async () => {
    const env = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) };
    const terminal = onTerminal(['send', '--count', '30000'], env);
    expect(await terminal.ended()).toBe(0);
    expect(terminal.shown()).toMatch(/\r\d+ messages sent\x1b\[K/);
    expect(terminal.shown().trimEnd()).toMatch(/\r\x1b\[K30000 messages sent; --json tells their ids\.$/);
    expect(await redis.client.llen(QUEUE)).toBe(30_000);
  });
});
