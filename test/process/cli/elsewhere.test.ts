/** The running supervisor is found from `/`, by its user and by root, and by nobody else. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { freePort } from '../../support/free-port.js';
import { useProgram, type Program } from '../../support/program/program.js';
import { useRedis } from '../../support/redis/redis.js';
import { runCommand, type Ran } from '../fixtures/operated.js';

const CLI = fileURLToPath(new URL('../../../dist/supervisor/cli.js', import.meta.url));
const redis = useRedis();
const start = useProgram();

let base: string;
let home: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'elsewhere-')));
  chmodSync(base, 0o755);
  home = join(base, 'home');
  mkdirSync(home);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

interface Started {
  readonly program: Program;
  readonly port: number;
  readonly directory: string;
}

/** Part of it stands in `.env`, part is known to its environment only. */
async function startIn(
  name: string,
  { env = {}, uid }: { readonly env?: Readonly<Record<string, string>>; readonly uid?: number } = {},
): Promise<Started> {
  const directory = join(base, name);
  mkdirSync(directory);
  const port = await freePort();
  const text = `SUPERVISOR_PORT=${port}\nMAIN_SERVER_URL=http://127.0.0.1:1\nWORKER_METRICS_HOST=127.0.0.1\n`;
  writeFileSync(join(directory, '.env'), `${text}WORKER_METRICS_PORT=${await freePort()}\nWORKER_COUNT=1\n`);
  const own = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port), REDIS_QUEUE_NAME: name };
  if (uid !== undefined) chownSync(directory, uid, uid);
  const become = `data:text/javascript,process.setgid(${uid});process.setuid(${uid})`;
  const nodeFlags = uid === undefined ? [] : ['--import', become];
  const program = start({ cwd: directory, nodeFlags, env: { HOME: home, ...own, ...env } });
  await program.waitForLine(/Worker worker-1 \(pid \d+\) is ready$/);
  return { program, port, directory };
}

function fromRoot(...args: string[]): Promise<Ran> {
  return runCommand(args, { env: { HOME: home }, cwd: '/' });
}

const folderOf = (): string => join(home, '.local', 'state', 'message-broker-worker');

/** On a host where others of this user run, these would be found too. */
const isAlone = noOtherRuns();
if (!isAlone)
  console.log('elsewhere.test.ts: skipped, since supervisors run on this host that the commands would find');

describe.runIf(isAlone)('from /', () => {
  test('commands find the supervisor, and what only its environment knows', async () => {
    const { program, port, directory } = await startIn('alone');
    const status = await fromRoot('status');
    expect([status.code, status.out]).toEqual([0, expect.stringContaining(`pid ${program.pid}`)]);
    expect(status.err).toMatch(
      `Note: instance ${port} (pid ${program.pid}, queue alone) in ${directory}, which reads `,
    );
    expect(status.err).toMatch(/and \.env$/);

    expect(await fromRoot('dead', 'list')).toMatchObject({ code: 0, out: 'There are no dead letters.' });
    const { findings } = JSON.parse((await fromRoot('check', '--json')).out) as { findings: { text: string }[] };
    const texts = findings.map(({ text }) => text).join('\n');
    expect(texts).toContain(`reachable at 127.0.0.1:${redis.port}`);
    expect(texts).toContain(`${directory}/logs is writable`);
    expect(texts).toContain(`pid ${program.pid}, 1 of 1 workers take messages`);

    const inside = await runCommand(['dead', 'list'], { env: { HOME: home }, cwd: directory });
    expect(inside).toEqual({ code: 0, out: 'There are no dead letters.', err: '' });
  });

  test('the files of a folder mean no other instance that was started there', async () => {
    const { port, directory } = await startIn('shared');
    const own = await freePort();
    writeFileSync(join(directory, '.env'), `SUPERVISOR_PORT=${own}\nREDIS_HOST=127.0.0.1\nREDIS_PORT=${redis.port}\n`);
    const stopped = await runCommand(['stop'], { env: { HOME: home }, cwd: directory });
    expect([stopped.code, stopped.err]).toEqual([3, expect.not.stringContaining(String(port))]);
    expect((await fromRoot('status', '--instance', String(port))).code).toBe(0);
  });

  test('one that hangs keeps no command from Redis that its own files describe', async () => {
    const { program, directory, port } = await startIn('hangs');
    writeFileSync(join(directory, '.env'), `SUPERVISOR_PORT=${port}\nREDIS_HOST=127.0.0.1\nREDIS_PORT=${redis.port}\n`);
    program.signal('SIGSTOP');
    try {
      const inside = await runCommand(['dead', 'list'], { env: { HOME: home }, cwd: directory });
      expect([inside.code, inside.out]).toEqual([0, 'There are no dead letters.']);
      expect(inside.err).toMatch(
        /^Note: the supervisor of this folder cannot be asked for its settings \(.*\); its files are read\.$/,
      );
      const { out } = await fromRoot('check', '--json');
      expect(JSON.parse(out)).toMatchObject({ findings: expect.anything() as unknown });
    } finally {
      program.signal('SIGCONT');
    }
  });

  test('with two they ask which, and are told by port or folder', async () => {
    const [one, two] = [await startIn('one'), await startIn('two')];
    const asked = await fromRoot('status');
    expect([asked.code, asked.out]).toEqual([2, '']);
    expect(asked.err).toContain('2 supervisors run here; say which is meant:');
    for (const { port, directory, program } of [one, two]) {
      expect(asked.err).toContain(`--instance ${port}: instance ${port} (pid ${program.pid}, `);
      expect(asked.err).toContain(` in ${directory}, which reads `);
    }
    expect((await fromRoot('status', '--instance', String(two.port))).out).toContain(`pid ${two.program.pid}`);
    expect((await fromRoot('status', '--directory', one.directory)).out).toContain(`pid ${one.program.pid}`);
    expect((await fromRoot('status', '--supervisor-port', String(one.port))).out).toContain(`pid ${one.program.pid}`);
    const wrong = await fromRoot('dead', 'list', '--instance', '1');
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringMatching(/No supervisor of port 1 runs\. There run:/)]);
    expect((await fromRoot('status', '--instance', '1')).code).toBe(3);
    expect((await fromRoot('dead', 'list', '--directory', join(base, 'none'))).code).toBe(2);
  });

  test('one that was killed is not found, and its file is removed; one that stops takes its file along', async () => {
    const { program } = await startIn('killed');
    expect(readdirSync(folderOf())).toHaveLength(1);
    program.signal('SIGKILL');
    await program.waitForExit();
    const none = await fromRoot('status');
    expect([none.code, none.err]).toEqual([3, expect.stringContaining('no supervisor of yours is running')]);
    expect(readdirSync(folderOf())).toEqual([]);

    const next = await startIn('stopped');
    expect((await fromRoot('stop')).code).toBe(0);
    await next.program.waitForExit();
    expect(readdirSync(folderOf())).toEqual([]);
  });

  test('defaults are not diagnosed in silence, nor is a second supervisor advised', async () => {
    const { out } = await fromRoot('check');
    expect(out).toMatch(/WARN +configuration +There is no configuration in \/ .*The defaults are checked/);
    expect(out).not.toContain('Start it: message-broker-worker start');
  });

  test.each([
    ['a folder', (): string => folderOf()],
    ['a file', (): string => join(folderOf(), readdirSync(folderOf())[0] ?? '')],
  ])('%s that others may write is not believed', async (_what, pathOf) => {
    await startIn('open');
    chmodSync(pathOf(), 0o777);
    const { code, err } = await fromRoot('status');
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/can be written by others \(mode 777\); it is not believed/),
    ]);
  });
});

const OTHER = 64_999;
const isRoot = process.getuid?.() === 0;
const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0;
const canBeOthers = isAlone && isRoot && hasSetpriv && !existsSync(`/run/user/${OTHER}`);
if (isAlone && !canBeOthers) console.log('elsewhere.test.ts: other users are skipped; they need root and setpriv');

describe.runIf(canBeOthers)('of another user', () => {
  const login = `/run/user/${OTHER}`;
  afterEach(() => rmSync(login, { recursive: true, force: true }));

  function asOther(args: readonly string[], cwd = '/'): Ran {
    const flags = ['--reuid', String(OTHER), '--regid', String(OTHER), '--clear-groups', process.execPath, CLI];
    const env = { PATH: process.env['PATH'], HOME: '/nonexistent' };
    const { status, stdout, stderr } = spawnSync('setpriv', [...flags, ...args], { cwd, env, encoding: 'utf8' });
    return { code: status, out: stdout.trimEnd(), err: stderr.trimEnd() };
  }

  test('whoever is neither is told whose it is', async () => {
    const { port } = await startIn('roots');
    const { code, err } = asOther(['status']);
    expect(code).toBe(3);
    expect(err).toContain(`There is one (SUPERVISOR_PORT ${port}) of root (uid 0), which is not yours to use`);
    expect(asOther(['check']).out).toContain(`There is one (SUPERVISOR_PORT ${port}) of root (uid 0)`);
  });

  test('root finds it, and reads its configuration with no more rights than that user has', async () => {
    mkdirSync(login, { recursive: true, mode: 0o700 });
    chownSync(login, OTHER, OTHER);
    const secret = join(base, 'secret');
    writeFileSync(secret, 'of root', { mode: 0o600 });
    const { port, directory, program } = await startIn('theirs', { env: { XDG_RUNTIME_DIR: login }, uid: OTHER });
    const { code, out, err } = await fromRoot('status');
    expect([code, out]).toEqual([0, expect.stringContaining(`pid ${program.pid}`)]);
    expect(err).toContain(`Note: instance ${port} (pid ${program.pid}, queue theirs, of uid ${OTHER}) in ${directory}`);
    const unnamed = await fromRoot('dead', 'list');
    expect([unnamed.code, unnamed.err]).toEqual([2, expect.stringContaining(`--instance ${port}: instance ${port}`)]);
    const named = ['dead', 'list', '--instance', String(port)];
    expect(await fromRoot(...named)).toMatchObject({ code: 0, out: 'There are no dead letters.' });
    writeFileSync(join(directory, '.env'), `REDIS_PASSWORD_FILE=${secret}\n`);
    const refused = await fromRoot(...named);
    expect([refused.code, refused.err]).toEqual([78, expect.stringContaining('(permission denied)')]);
  });
});

function noOtherRuns(): boolean {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent' };
  const { stderr } = spawnSync(process.execPath, [CLI, 'status'], { cwd: '/', env, encoding: 'utf8' });
  return /no supervisor of yours is running/.test(stderr);
}
