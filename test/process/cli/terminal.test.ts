/** Long work on a terminal, which `script` of util-linux lends it. */
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';

import { QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { CLI, hasTerminal, openTerminal } from '../fixtures/terminal.js';

const redis = useRedis();
const opened: (() => void)[] = [];
afterEach(() => opened.splice(0).forEach((close) => close()));

interface Terminal {
  /** All that was written to it. */
  shown(): string;
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
    ended: async () => ((await exited) as [number | null])[0],
  };
}

describe.skipIf(!hasTerminal)('on a terminal', () => {
  test('sending many shows how far it is, and clears that line', async () => {
    const env = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) };
    const terminal = onTerminal(['send', '--count', '30000'], env);
    expect(await terminal.ended()).toBe(0);
    expect(terminal.shown()).toMatch(/\r\d+ messages sent\x1b\[K/);
    expect(terminal.shown().trimEnd()).toMatch(/\r\x1b\[K30000 messages sent; --json tells their ids\.$/);
    expect(await redis.client.llen(QUEUE)).toBe(30_000);
  });
});
