/** What starts the program in production: systemd units, launchers, the Windows service. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ProgramRequest } from '../../../scripts/local/find-program.js';
import { flagFor, type Role } from '../../../src/shared/config/settings/setting.js';
import { SETTINGS } from '../../../src/shared/config/settings/settings.js';
import { freePort } from '../../support/free-port.js';
import { neededProgram } from '../../support/program/needed-program.js';
import { useProgram } from '../../support/program/program.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const text = (path: string) => readFileSync(join(root, path), 'utf8');

const SYSTEMD: ProgramRequest = {
  names: ['systemd-analyze'],
  debianPackage: 'systemd',
  otherwise: {
    linux: 'This distribution does not use systemd.',
    darwin: 'macOS has no systemd.',
    win32: 'Windows has no systemd.',
  },
};
const analyze = await neededProgram(SYSTEMD);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'services-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const UNITS = ['message-broker-worker.service', 'worker@.service'];

describe('systemd units', () => {
  test.skipIf(analyze === undefined).each([
    ['message-broker-worker.service', 'message-broker-worker.service'],
    ['worker@.service', 'worker@1.service'],
  ])('%s is what systemd understands', async (file, instance) => {
    const copy = join(directory, instance);
    copyFileSync(join(root, 'scripts/systemd', file), copy);
    const { stderr } = await run(analyze ?? '', ['verify', '--man=no', copy]);
    // It reads the machine's own units too; only what it says of ours counts.
    expect(stderr.split('\n').filter((line) => line.includes(instance))).toEqual([]);
  });

  // What each restriction does to the program is seen in booted-units.timed.test.ts.
  test.skipIf(analyze === undefined).each(UNITS)('%s exposes less than 2.0 of 10', async (file) => {
    const unit = join(root, 'scripts/systemd', file);
    const options = ['--no-pager', '--offline=true', '--threshold=20'];
    const { stdout } = await run(analyze ?? '', ['security', ...options, unit]);
    expect(Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThan(2);
  });

  test.each(UNITS)('%s drains, restarts on failure and not on a bad configuration', (file) => {
    const unit = keysOf(text(`scripts/systemd/${file}`));
    expect(unit).toMatchObject({
      User: 'messagebroker',
      WorkingDirectory: '/opt/message_broker/worker',
      KillMode: 'mixed',
      TimeoutStopSec: '30',
      Restart: 'on-failure',
      RestartPreventExitStatus: '78',
      OOMPolicy: 'continue',
      LimitNOFILE: '65536',
      NoNewPrivileges: 'yes',
      PrivateTmp: 'yes',
      ProtectSystem: 'strict',
      ProtectHome: 'yes',
    });
    expect(unit).not.toHaveProperty('MemoryDenyWriteExecute');
    const drain = Number(SETTINGS.find(({ env }) => env === 'WORKER_SHUTDOWN_TIMEOUT')?.default);
    expect(Number(unit['TimeoutStopSec'])).toBeGreaterThan(drain);
  });

  test('both are shut in alike', () => {
    const [one, other] = UNITS.map((file) => /^# Hardening.*?(?=^$)/ms.exec(text(`scripts/systemd/${file}`))?.[0]);
    expect(one).toContain('SystemCallFilter=');
    expect(other).toBe(one);
  });

  test('the supervisor is awaited, watched and reloaded', () => {
    expect(keysOf(text('scripts/systemd/message-broker-worker.service'))).toMatchObject({
      Type: 'notify',
      NotifyAccess: 'all',
      WatchdogSec: '30',
      ExecStart: '/usr/bin/env node /opt/message_broker/worker/dist/supervisor/cli.js start',
      ExecReload: '/usr/bin/env node /opt/message_broker/worker/dist/supervisor/cli.js reload',
    });
  });

  test('instance 3 of the template is worker-3 on port 9102', async () => {
    const { ExecStart = '' } = keysOf(text('scripts/systemd/worker@.service'));
    const script = /^\/bin\/sh -c '(.*)'$/.exec(ExecStart)?.[1] ?? '';
    const node = join(directory, 'node');
    writeFileSync(node, '#!/bin/sh\nprintf "%s " "$@"', { mode: 0o755 });
    const asSystemdSees = script.replaceAll('%i', '3').replaceAll('$$', '$');
    const { stdout } = await run('/bin/sh', ['-c', asSystemdSees], { env: { PATH: directory } });
    expect(stdout).toMatch(/\/cli\.js worker --worker-id worker-3 --metrics-port 9102 $/);
  });
});

describe('the words to systemd', () => {
  const redis = useRedis();
  const start = useProgram();
  let listener: ChildProcess | undefined;
  afterEach(() => listener?.kill('SIGKILL'));

  test.skipIf(analyze === undefined)('ready, watchdog, status, reloading and stopping arrive', async () => {
    const socket = join(directory, 'notify');
    const heard = await listen(socket);
    const program = start({
      env: {
        NOTIFY_SOCKET: socket,
        WATCHDOG_USEC: '1500000',
        REDIS_HOST: redis.host,
        REDIS_PORT: String(redis.port),
        MAIN_SERVER_URL: 'http://127.0.0.1:1',
        WORKER_COUNT: '1',
        WORKER_METRICS_ENABLED: 'false',
        SUPERVISOR_PORT: String(await freePort()),
        SUPERVISOR_RUNTIME_DIR: join(directory, 'run'),
      },
    });
    const until = (words: RegExp) => waitFor(() => words.test(heard()), { what: `${words} on the socket` });
    await until(/READY=1\nSTATUS=\d of 1 workers ready/);
    await until(/STATUS=1 of 1 workers ready/);
    await until(/WATCHDOG=1.*WATCHDOG=1/s);
    program.signal('SIGHUP');
    await until(/RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=Reloading.*READY=1/s);
    program.signal('SIGTERM');
    await until(/STOPPING=1/);
    expect((await program.waitForExit()).code).toBe(0);
  });

  /** systemd's own listener for datagrams: Node has none. Returns what arrived so far. */
  async function listen(socket: string): Promise<() => string> {
    const file = join(directory, 'heard');
    listener = spawn(
      'systemd-socket-activate',
      ['--datagram', '--listen', socket, '--inetd', 'sh', '-c', `exec cat > "${file}"`],
      {
        stdio: 'ignore',
      },
    );
    await waitFor(() => existsSync(socket), { what: 'the listener' });
    return () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  }
});

describe('launchers', () => {
  const SINGLE = ['WorkerId', 'Concurrency', 'RetryInterval', 'MaxAttempts', 'MetricsPort', 'LogLevel'];
  const MULTIPLE = ['NumWorkers', 'Concurrency', 'RetryInterval', 'MaxAttempts', 'BaseMetricsPort', 'LogLevel'];

  test.each([
    ['start_worker.ps1', 'worker', SINGLE],
    ['start_multiple_workers.ps1', 'supervisor', MULTIPLE],
  ] as const)('%s has the parameters of the Python worker, each with a real flag', (file, role, parameters) => {
    const script = text(`scripts/launchers/${file}`);
    const declared = [...script.matchAll(/^ {4}\[(?:string|int)\]\$(\w+)/gm)].map(([, name]) => name);
    expect(declared).toEqual(parameters);
    const flags = [...script.matchAll(/^ {4}(\w+) += '--([a-z-]+)'$/gm)].map(([, name, flag]) => [name, flag]);
    expect(flags.map(([name]) => name)).toEqual(parameters);
    for (const [, flag] of flags) expect(flagsOf(role)).toContain(flag);
    expect(script).toContain(`'dist\\supervisor\\cli.js', '${role === 'worker' ? 'worker' : 'start'}'`);
    expect(script).toContain('exit $LASTEXITCODE');
  });

  test('start_worker.bat hands everything on, and its exit code back', () => {
    const script = text('scripts/launchers/start_worker.bat');
    expect(script).toContain('dist\\supervisor\\cli.js worker %*\r\nexit /b %ERRORLEVEL%');
  });

  test('the Windows service uses real flags and gives the workers time to drain', () => {
    const script = text('scripts/nssm/install_service.ps1');
    for (const [, flag] of script.matchAll(/ --([a-z-]+) \$/g)) expect(flagsOf('supervisor')).toContain(flag);
    expect(script).toContain('$stopMilliseconds = ($ShutdownTimeout + 5) * 1000');
    for (const setting of [
      'AppStopMethodConsole $stopMilliseconds',
      'AppStopMethodSkip 6',
      'AppExit Default Restart',
      'AppExit 78 Exit',
      'AppRestartDelay 5000',
    ]) {
      expect(script).toContain(`Invoke-Nssm set $ServiceName ${setting}`);
    }
  });

  test('start_worker.sh starts a worker with the settings of ../.env', async () => {
    const copy = join(directory, 'installed', 'worker');
    mkdirSync(copy, { recursive: true });
    for (const name of ['dist', 'node_modules', 'package.json', 'config', 'scripts'])
      symlinkSync(join(root, name), join(copy, name));
    const launcher = join(copy, 'scripts/launchers/start_worker.sh');
    expect(statSync(launcher).mode & 0o111).not.toBe(0);
    expect((await run(launcher, ['--help'])).stdout).toContain('run one worker in this process');
    writeFileSync(join(copy, '..', '.env'), 'WORKER_CONCURRENCY=plenty\n');
    const failure: unknown = await run(launcher, []).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 78, stderr: expect.stringContaining('WORKER_CONCURRENCY') as string });
  });
});

/** The last value of each key, continuation lines and sections left out. */
function keysOf(unit: string): Record<string, string> {
  return Object.fromEntries(
    unit.split('\n').flatMap((line) => {
      const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );
}

function flagsOf(role: Role): (string | undefined)[] {
  return SETTINGS.map((setting) => flagFor(setting, role));
}
