/** Every command of "Where is my message?" in ecosystem.md, in its order, by a shell, against the program with real workers. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { useMainServer } from '../../support/main-server/main-server.js';
import { useProgram } from '../../support/program/program.js';
import { QUEUE } from '../../support/redis/queue.js';
import { useRedis } from '../../support/redis/redis.js';
import { SLOW_HANGS_MS, waitFor } from '../../support/wait-for.js';
import { document } from '../../unit/contract/markdown.js';
import { startOperated, type Operated } from '../fixtures/operated.js';

const CLI = fileURLToPath(new URL('../../../dist/supervisor/cli.js', import.meta.url));
const SECTION = '## Where is my message?';
const redis = useRedis();
const main = useMainServer();
useProgram();

let bin: string;
beforeAll(() => {
  bin = mkdtempSync(join(tmpdir(), 'walk-'));
  const shim = join(bin, 'message-broker-worker');
  writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`);
  chmodSync(shim, 0o755);
});
afterAll(() => rmSync(bin, { recursive: true, force: true }));

/** Commands and what happens between them, as comments, of one part of the section. */
function linesOf(part: string): string[] {
  const text = document('ecosystem.md').text;
  const section = text.slice(text.indexOf(`\n${SECTION}\n`));
  const from = section.indexOf(`\n### ${part}\n`);
  expect(from, part).toBeGreaterThan(0);
  const [, block = ''] = /```bash\n([^]*?)```/.exec(section.slice(from)) ?? [];
  return block.trim().split('\n');
}

/** What a command must say, in their order; a function is what happens at a comment. */
type Expected = readonly (RegExp | (() => void))[];

async function walk(operated: Operated, part: string, expected: Expected): Promise<void> {
  const lines = linesOf(part);
  expect(lines).toHaveLength(expected.length);
  for (const [at, line] of lines.entries()) {
    const wanted = expected[at]!;
    if (typeof wanted === 'function') {
      expect(line).toMatch(/^# /);
      wanted();
    } else if (changes(line)) {
      expect(await run(operated, line), line).toMatch(wanted);
    } else {
      let said = '';
      const isSaid = async (): Promise<boolean> => wanted.test((said = await run(operated, line)));
      await waitFor(isSaid, { what: `"${line}" to say ${wanted}`, deadlineMs: SLOW_HANGS_MS }).catch(
        (error: unknown) => {
          throw new Error(`${line}\n${said}`, { cause: error });
        },
      );
    }
  }
}

/** Such a command is not repeated. A purge is: it leaves what the main server is being told of. */
const changes = (line: string): boolean =>
  /worker (?:send|pause|resume|message retry|message cancel|dead (?:replay|export|import)) /.test(`${line} `) &&
  !line.includes('--dry-run');

async function run({ env, program }: Operated, line: string): Promise<string> {
  const environment = { ...env, PATH: `${bin}:${process.env['PATH']}`, HOME: program.cwd };
  const { stdout } = await promisify(execFile)('sh', ['-c', line], { env: environment, cwd: program.cwd });
  return stdout.trimEnd();
}

/** Short, so that the statuses of an attempt cannot be on their way for long. */
const MAIN_SERVER_TIMEOUT = '1';

async function operated(): Promise<Operated> {
  const env = { WORKER_RETRY_INTERVAL: '600', MAIN_SERVER_TIMEOUT };
  const started = await startOperated({ redisPort: redis.port, mainServerUrl: main.server.url, env });
  await started.untilReady();
  return started;
}

async function push(count: number, client: string): Promise<void> {
  for (let at = 1; at <= count; at++) {
    await redis.client.lpush(QUEUE, JSON.stringify({ message_id: `${client}-${at}`, client_id: client, domain: 'd' }));
  }
}

const failing = (isFailing: boolean): void => void (main.server.faults.post.failRate = isFailing ? 1 : 0);
const retrying = async (): Promise<number> => redis.client.zcard(`{${QUEUE}}:retry`);

test('one message', async () => {
  failing(true);
  const here = await operated();
  await walk(here, 'One message', [/^1 message sent: order-17$/, /retry[^]*http_503[^]*503/i, /^1 message made due\./]);
  failing(false);
});

test('an outage', async () => {
  failing(true);
  const here = await operated();
  await push(3, 'client-1');
  await push(2, 'client-2');
  await waitFor(async () => (await retrying()) === 5, { what: 'all to have failed' });
  await walk(here, 'An outage', [
    /client-1 +3[^]*client-2 +2/,
    /http_503 +5/,
    /client-1-1[^]*5/,
    () => failing(false),
    /^5 messages would be made due\.$/m,
    /^5 messages made due\./,
    /^(?!.*client-)/s,
    /running|ready/,
    /There are no dead letters/,
  ]);
  expect(await retrying()).toBe(0);
});

test('a maintenance', async () => {
  const here = await operated();
  await walk(here, 'A maintenance', [
    /The one worker has confirmed it[^]*resume/,
    /paused[^]*new main server/i,
    () => undefined,
    /^Deliveries go on within a second\./,
    /resume[^]*pause/,
  ]);
});

test('a client whose messages do harm', async () => {
  failing(true);
  const here = await operated();
  await push(3, 'client-7');
  await push(1, 'client-8');
  await waitFor(async () => (await retrying()) === 4, { what: 'all to have failed' });
  await walk(here, 'A client whose messages do harm', [
    /client-7 +3[^]*client-8 +1/,
    /client-7-1/,
    /^3 messages would be /m,
    /^3 messages /,
    /3 shown of 3/,
    /^3 dead letters exported to client-7\.jsonl\.$/,
    /^3 of 3 dead letters deleted\./,
    /^3 dead letters imported\.$/,
    /^3 of 3 dead letters put back on the queue\./,
  ]);
  failing(false);
});
