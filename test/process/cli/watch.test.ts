/** `status --watch` and `status` on a real terminal: what is read from its screen, and what its keys do. */
import { describe, expect, onTestFinished, test } from 'vitest';

import { useMainServer } from '../../support/main-server/main-server.js';
import { useProgram } from '../../support/program/program.js';
import { QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { startOperated, type Operated } from '../fixtures/operated.js';
import { hasScreen, openScreen, type Size, type TestScreen } from '../fixtures/screen.js';

const redis = useRedis();
const main = useMainServer();
useProgram();

const SMALL: Size = { columns: 80, rows: 24 };
const MIDDLE: Size = { columns: 100, rows: 30 };
const LARGE: Size = { columns: 160, rows: 50 };
/** What tells that a frame was drawn for this size. */
const SEEN_AT = new Map([
  [SMALL, /^a wider terminal also shows: pid, /m],
  [MIDDLE, /^WORKER +PID [^]*^a wider terminal also shows: lag, /m],
  [LARGE, /^waiting +[▁-█]+[^]*^WORKER +PID .* LIMITED BY +PORT$/m],
]);

async function operated(env: Readonly<Record<string, string>> = {}): Promise<Operated> {
  const started = await startOperated({ redisPort: redis.port, mainServerUrl: main.server.url, env });
  await started.untilReady();
  return started;
}

async function watched(size: Size, env: Readonly<Record<string, string>>): Promise<TestScreen> {
  const screen = await openScreen(size, env);
  await screen.command('status', '--watch');
  await screen.until(/^FLOWING/);
  return screen;
}

/** The shell's screen is back, with what stood there, and the terminal takes lines as before. */
async function expectGivenBack(screen: TestScreen, code: number): Promise<void> {
  await screen.until(new RegExp(`^code-${code}$`, 'm'));
  const facts = await Promise.all(['alternate_on', 'cursor_flag', 'wrap_flag'].map((name) => screen.fact(name)));
  expect(facts).toEqual(['0', '1', '1']);
  await screen.type('stty -a; echo seen-$((1 + 1))');
  const shown = (await screen.until(/^seen-2$/m)).join('\n');
  for (const mode of ['echo', 'icanon', 'isig']) expect(shown).toMatch(new RegExp(`(?:^| )${mode} `, 'm'));
}

describe.skipIf(!hasScreen)('status --watch', () => {
  test('has state, sizes, rates and workers at each size, and uses more room when it is resized', async () => {
    const { env } = await operated({ WORKER_COUNT: '2' });
    const screen = await watched(SMALL, env);
    await redis.client.lpush(QUEUE, 'no JSON', ...Array.from({ length: 30 }, (_, at) => `{"message_id":"m${at}"}`));
    await screen.until(/ 1 dead[^]*^worker-2 +ready[^]*^malformed +1 /m);
    for (const size of SEEN_AT.keys()) {
      await screen.resize(size);
      const lines = await screen.until(SEEN_AT.get(size) ?? /^$/);
      const shown = lines.join('\n');
      expect(lines).toHaveLength(size.rows);
      expect(shown).toMatch(/^FLOWING {2}\S/);
      expect(shown).toMatch(/^\d+ waiting.* in flight .* retrying .*\b1 dead$/m);
      expect(shown).toMatch(/^arriving .* delivered \d+\.\d\/s .*failed 0\.0\/s/m);
      expect(shown).toMatch(/^delivered +[▁-█]+ +\d+\.\d\/s at most in \d+ s$/m);
      expect(shown).toMatch(/^worker-1 +(?:\d+ +)?ready .*\n^worker-2 /m);
      expect(shown).toMatch(/^malformed +1 /m);
      expect(lines.at(-1)).toMatch(/^q quit {3}p pause {3}r reload {3}d dead letters {3}\? help/);
    }
    await screen.resize(SMALL);
    await screen.until(/^a wider terminal also shows: pid, /m);
    await screen.press('q');
    await expectGivenBack(screen, 0);
  });

  test('a main server that answers 503, and a Redis that goes and comes back: what, and what to do', async () => {
    const proxy = await startTcpProxy(redis.port);
    onTestFinished(() => proxy.close());
    const { env } = await operated({ REDIS_PORT: String(proxy.port) });
    const screen = await watched(SMALL, env);
    main.server.faults.post.failRate = 1;
    await redis.client.lpush(QUEUE, ...Array.from({ length: 40 }, (_, at) => `{"message_id":"m${at}"}`));
    expect((await screen.until(/^STOPPED {2}.*main server/)).slice(0, 8).join('\n')).toContain('503');
    await proxy.setMode('refuse');
    const down = await screen.until(/^STOPPED {2}.*Redis cannot be reached/);
    expect(down.slice(0, 8).join('\n')).toContain('message-broker-worker check');
    await screen.until(/: unknown, Redis/);
    await proxy.setMode('pass');
    main.server.faults.post.failRate = 0;
    await screen.until(/^(?:FLOWING|DEGRADED) [^]*^\d+ waiting/m);
    await screen.press('C-c');
    await expectGivenBack(screen, 0);
  });

  test('a supervisor that goes is waited for; Ctrl-Z and SIGTERM give the terminal back', async () => {
    const supervised = await operated();
    const screen = await watched(SMALL, supervised.env);
    await supervised.command('stop');
    const away = (await screen.until(/^NO ANSWER {2}since \S+ \S+ UTC/)).join('\n');
    expect(away).toMatch(/^Before that: [A-Z]+ /m);
    const again = await supervised.startAgain();
    await screen.until(/^FLOWING/);
    await screen.press('C-z');
    await expectGivenBack(screen, 148);
    await screen.type('fg; echo code-$?');
    await screen.until(/^FLOWING/);
    expect(await screen.fact('alternate_on')).toBe('1');
    await again.command('stop');
    await screen.until(/^NO ANSWER/);
    process.kill(screen.pid(), 'SIGTERM');
    await expectGivenBack(screen, 0);
  });

  test('keys: help, dead letters, and pause, resume and reload after a question', async () => {
    const { env } = await operated();
    const screen = await watched(SMALL, env);
    expect(await screen.coloured()).toMatch(/^\x1b\[1m\x1b\[32mFLOWING/);
    await redis.client.lpush(QUEUE, 'no JSON');
    await screen.until(/ 1 dead/);
    await screen.press('?');
    await screen.until(/^Keys\n[^]*NO ANSWER/);
    await screen.press('d');
    await screen.until(/^1 dead letters,[^]*^ +1 +\d+s ago +malformed/m);
    await screen.press('d');
    await screen.until(/^FLOWING/);
    await screen.press('p');
    await screen.until(/until somebody resumes\? \[y\/N\]$/);
    await screen.press('n');
    await screen.until(/^Nothing is changed\.$/m);
    expect(await redis.client.exists(`{${QUEUE}}:paused`)).toBe(0);
    await screen.press('p');
    await screen.until(/\[y\/N\]$/);
    await screen.press('y');
    await screen.until(/^PAUSED [^]*^Paused: every worker has confirmed it[^]*p resume/m);
    await screen.press('p');
    await screen.until(/deliveries go on.*\[y\/N\]$/);
    await screen.press('y');
    await screen.until(/^FLOWING [^]*^Deliveries go on/m);
    await screen.press('r');
    await screen.until(/Read the configuration again.*\[y\/N\]$/);
    await screen.press('y');
    await screen.until(/^Reloaded: all workers have the new configuration/m);
    await screen.press('q');
    await expectGivenBack(screen, 0);
  });

  test('without colour where none is wanted, in lines where a terminal knows no cursor; and once', async () => {
    const { env } = await operated({ WORKER_COUNT: '6' });
    const plain = await watched(SMALL, { ...env, NO_COLOR: '1' });
    await plain.until(/^worker-6 +ready/m);
    expect(await plain.coloured()).not.toContain('\x1b');
    await plain.resize({ columns: 80, rows: 14 });
    await plain.until(/^and \d more, all ready$/m);
    await plain.press('q');
    await plain.untilGivenBack();
    // its own last line and the next prompt take room too
    await plain.type('stty rows 12');
    await plain.command('status');
    const once = (await plain.until(/^code-0$/m)).join('\n');
    expect(once).toMatch(/^FLOWING[^]*^and \d more, all ready$/m);
    await plain.untilGivenBack();
    await plain.type('export TERM=dumb');
    await plain.command('status', '--watch');
    await plain.until(/^\S+ \S+ UTC {2}FLOWING .*$/m);
    expect(await plain.fact('alternate_on')).toBe('0');
    await plain.press('C-c');
    await plain.until(/^\^Ccode-0$/m);
  });
});
