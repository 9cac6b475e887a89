/**
 * Both units as an operator installs them, under a booted systemd: the program at work with all their restrictions in force.
 * A restriction that breaks it, and a promise of the units that the kernel does not keep, are seen here and nowhere else.
 */
import { readFileSync, readlinkSync, statSync, writeFileSync, mkdirSync, copyFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StatusDocument } from '../../../supervisor/status/status-document.js';
import { useCertificates } from '../../support/main-server/certificates.js';
import { freePort, freePorts } from '../../support/free-port.js';
import { createMessageLedger } from '../../support/ledger.js';
import { bootMachine, whyNoMachine, type BootedMachine } from '../../support/machine/booted-machine.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { useRedis } from '../../support/redis/redis.js';
import { waitFor } from '../../support/wait-for.js';
import { document } from '../../unit/contract/markdown.js';

const WORKER = '/opt/message_broker/worker';
const SUPERVISOR_UNIT = 'message-broker-worker.service';

/** It takes minutes, so it is asked for: `TEST_BOOTED=1 npm test -- test/process/project/booted-units`. */
const whyNot = process.env['TEST_BOOTED'] === '1' ? await whyNoMachine() : 'TEST_BOOTED=1 asks for it';
/** It needs root and the right to mount. Where they are missing it is said, and nothing is tried. */
const whereItCan: (name: string, options: { readonly timeout: number }, suite: () => void) => void =
  whyNot === undefined ? describe : (name) => test(`${name}: not tried, ${whyNot}`, () => console.log(whyNot));

whereItCan('units under a booted systemd', { timeout: 180_000 }, () => {
  const redis = useRedis();
  const certificates = useCertificates();
  const main = useMainServer(certificates);
  const ledger = createMessageLedger(redis, main);
  let machine: BootedMachine;
  let port: number;

  beforeAll(async () => {
    machine = await bootMachine();
    port = await freePort();
    const settings = {
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: redis.port,
      MAIN_SERVER_URL: main.server.url,
      SUPERVISOR_PORT: port,
      WORKER_METRICS_PORT: await freePorts(2),
      WORKER_COUNT: 1,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(machine.path('/opt/message_broker/.env'), lines.join(''));
    const { caCert, workerCert, workerKey } = certificates.files;
    copyFileSync(caCert, machine.path(`${WORKER}/certs/ca.crt`));
    copyFileSync(workerCert, machine.path(`${WORKER}/certs/worker.crt`));
    copyFileSync(workerKey, machine.path(`${WORKER}/certs/worker.key`));
    await succeed(`cd ${WORKER} && sudo() { "$@"; } && ${installCommands()}`);
    await succeed(`cp ${WORKER}/scripts/systemd/worker@.service /etc/systemd/system/ && systemctl daemon-reload`);
    await succeed(`systemctl stop ${SUPERVISOR_UNIT}`);
  }, 180_000);
  beforeEach(() => ledger.clear());
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail')
      console.log((await machine.shell('journalctl --output=cat | tail -n 60')).stdout);
  });
  afterAll(() => machine.switchOff());

  test('the installation of the book leaves secrets to those they belong to', async () => {
    const { stdout } = await machine.run(
      'stat',
      '--format=%a %U %n',
      '/opt/message_broker/.env',
      `${WORKER}/certs/worker.key`,
      `${WORKER}/logs`,
    );
    expect(stdout.trim().split('\n')).toEqual([
      '600 root /opt/message_broker/.env',
      `600 messagebroker ${WORKER}/certs/worker.key`,
      `750 messagebroker ${WORKER}/logs`,
    ]);
  });

  describe('the supervisor at work', () => {
    let said: () => Promise<string[]>;
    beforeAll(async () => {
      said = await start();
    }, 120_000);
    afterAll(() => stopAll());

    test('it delivers, measures its workers, and knows its own host by the boot', async () => {
      await ledger.produce(50);
      await ledger.quiet(60_000);
      const { workers } = await until(({ workers: all }) => all.every((worker) => worker.cpu_percent !== null));
      for (const worker of workers) expect(worker.memory_bytes).toBeGreaterThan(30_000_000);
      const ids = await redis.client.zrange('{message_queue}:consumers', '0', '-1');
      expect(ids.filter((id) => id.includes(`@${hostname()}/${scope()}.`))).toEqual(ids);
      expect((await said()).filter((line) => /WARN|ERROR|pidusage/.test(line))).toEqual([]);
      expect(statSync(machine.path(`${WORKER}/logs/worker.log`)).mode & 0o777).toBe(0o640);
    });

    test('each process of it is held by the kernel to what the unit says', async () => {
      const group = `/sys/fs/cgroup/system.slice/${SUPERVISOR_UNIT}/cgroup.procs`;
      const processes = (await succeed(`cat ${group}`)).trim().split('\n').flatMap(processOf);
      // Supervisor, worker, orphan guardian; getconf and systemd-notify come and go.
      expect(processes.length).toBeGreaterThanOrEqual(3);
      for (const { status, users } of processes) {
        expect(status).toMatch(/^Seccomp:\t2$/m);
        expect(status).toMatch(/^NoNewPrivs:\t1$/m);
        expect(status).toMatch(/^CapBnd:\t0+$/m);
        // Itself and root.
        expect(users.trim().split('\n')).toHaveLength(2);
      }
      const asTheProgram = `nsenter --target ${await property('MainPID')} --mount setpriv --reuid=messagebroker --regid=messagebroker --clear-groups sh -c`;
      const refused = async (script: string) => (await machine.shell(`${asTheProgram} '${script}'`)).stderr;
      expect(await refused(`echo x > ${WORKER}/dist/planted.js`)).toMatch(/Read-only file system/);
      expect(await refused(`echo x > ${WORKER}/certs/planted.crt`)).toMatch(/Read-only file system/);
      expect(await refused('echo x > /var/lib/planted')).toMatch(/Read-only file system/);
      expect(await refused('cat /proc/1/cmdline')).toMatch(/No such file/);
      expect(await refused('cat /opt/message_broker/.env')).toMatch(/Permission denied/);
      expect(await refused(`echo x > ${WORKER}/logs/x && echo x > /run/message-broker-worker/x`)).toBe('');
    });
  });

  describe('started anew', () => {
    afterEach(() => stopAll());

    test('it reloads, replaces what is killed, comes back when it is killed itself, and stops in order', async () => {
      await start();
      await succeed(`systemctl reload ${SUPERVISOR_UNIT}`);
      const [worker] = (await until(allReady)).workers;
      await succeed(`kill -KILL ${worker?.pid}`);
      await until((status) => allReady(status) && status.workers[0]?.restarts === 1);
      await succeed(`systemctl kill --signal=KILL --kill-whom=main ${SUPERVISOR_UNIT}`);
      await waitFor(async () => (await property('NRestarts')) === '1', {
        what: 'systemd to restart it',
        deadlineMs: 60_000,
      });
      await until(allReady);
      await succeed(`${commandLine()} scale 2 --socket /run/message-broker-worker/supervisor-${port}.sock`);
      await ledger.produce(50);
      await ledger.quiet(60_000);
      await succeed(`systemctl stop ${SUPERVISOR_UNIT}`);
      expect(await property('Result')).toBe('success');
    });

    test('it makes no call to the kernel that the filter refuses, io_uring left out', async () => {
      dropIn(SUPERVISOR_UNIT, 'SystemCallErrorNumber=kill', 'SystemCallFilter=@aio');
      const said = await start();
      await ledger.produce(50);
      await ledger.quiet(60_000);
      await succeed(`systemctl reload ${SUPERVISOR_UNIT}`);
      const { workers } = await until((status) => status.workers.every((worker) => worker.cpu_percent !== null));
      expect(workers.map(({ restarts }) => restarts)).toEqual([0]);
      await succeed(`systemctl stop ${SUPERVISOR_UNIT}`);
      expect(await property('Result')).toBe('success');
      const lines = await said();
      expect(lines).toContainEqual(expect.stringMatching(/Supervisor stopped$/));
      expect(lines.filter((line) => /SIGSYS|WARN|ERROR/.test(line))).toEqual([]);
    });

    test('the narrower unit of the book works: addresses by list, the password from its own file', async () => {
      const lines = document('ecosystem.md').fenced('ini');
      const first = lines.indexOf('IPAddressDeny=any');
      const narrower = lines.slice(first, first + 3);
      expect(narrower.at(-1)).toMatch(/^Environment=REDIS_PASSWORD_FILE=/);
      dropIn(SUPERVISOR_UNIT, ...narrower, 'Environment=REDIS_USERNAME=narrow');
      await redis.client.acl('SETUSER', 'narrow', 'on', '>the password', '~*', '+@all');
      await succeed(
        "cd /etc && umask 027 && mkdir message-broker-worker && cd message-broker-worker && printf 'the password' > redis-password",
      );
      await succeed('chgrp -R messagebroker /etc/message-broker-worker');
      await start();
      await ledger.produce(10);
      await ledger.quiet(60_000);
      expect(await redis.client.client('LIST')).toMatch(/ user=narrow /);
    });

    test('single workers run beside each other, each on its own port', async () => {
      const ports = [await freePort(), await freePort()];
      const units = ports.map((metricsPort) => `worker@${metricsPort - 9099}.service`);
      for (const unit of units) dropIn(unit, 'SystemCallErrorNumber=kill', 'SystemCallFilter=@aio');
      await succeed(`systemctl daemon-reload && systemctl start ${units.join(' ')}`);
      await ledger.produce(50);
      await ledger.quiet(60_000);
      for (const metricsPort of ports) {
        const page = () => fetch(`http://127.0.0.1:${metricsPort}/metrics`, { headers: { connection: 'close' } });
        const answer = await waitFor(() => page().catch(() => undefined), { what: 'its metrics', deadlineMs: 60_000 });
        expect(await answer.text()).toContain(`worker_id="worker-${metricsPort - 9099}"`);
      }
      await succeed(`systemctl stop ${units.join(' ')}`);
      for (const unit of units) expect(await property('Result', unit)).toBe('success');
    });
  });

  async function stopAll(): Promise<void> {
    await machine.shell(`systemctl stop '${SUPERVISOR_UNIT}' 'worker@*'; rm -rf /etc/systemd/system/*.d`);
  }

  async function succeed(script: string): Promise<string> {
    const { code, stdout, stderr } = await machine.shell(script);
    expect(code, `${script}\n${stderr}`).toBe(0);
    return stdout;
  }

  /** Nothing for one that has ended meanwhile. */
  function processOf(pid: string): { readonly status: string; readonly users: string }[] {
    try {
      const read = (name: string) => readFileSync(machine.path(`/proc/${pid}/${name}`), 'utf8');
      return [{ status: read('status'), users: read('uid_map') }];
    } catch {
      return [];
    }
  }

  /** Starts the supervisor's unit. Returns how to read what its processes have said since then. */
  async function start(): Promise<() => Promise<string[]>> {
    await succeed(`systemctl daemon-reload && systemctl start ${SUPERVISOR_UNIT}`);
    const invocation = await property('InvocationID');
    return async () =>
      (await succeed(`journalctl --output=cat _SYSTEMD_INVOCATION_ID=${invocation}`)).trim().split('\n');
  }

  async function property(name: string, unit = SUPERVISOR_UNIT): Promise<string> {
    return (await succeed(`systemctl show --value --property=${name} ${unit}`)).trim();
  }

  function dropIn(unit: string, ...lines: string[]): void {
    const folder = machine.path(`/etc/systemd/system/${unit}.d`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/test.conf`, ['[Service]', ...lines, ''].join('\n'));
  }

  async function until(wanted: (status: StatusDocument) => boolean): Promise<StatusDocument> {
    const look = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/status`, { headers: { connection: 'close' } });
      const status = (await response.json()) as StatusDocument;
      return wanted(status) && status;
    };
    return waitFor(() => look().catch(() => undefined), { what: 'the status to be as wanted', deadlineMs: 90_000 });
  }

  /** As src/queue/keys.ts builds it, from what the machine's processes see. */
  function scope(): string {
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
    return createHash('sha1')
      .update(bootId)
      .update(readlinkSync(machine.path('/proc/1/ns/pid')))
      .digest('hex')
      .slice(0, 12);
  }
});

function allReady({ workers }: StatusDocument): boolean {
  return workers.length > 0 && workers.every(({ state }) => state === 'ready');
}

function commandLine(): string {
  return `node ${WORKER}/dist/supervisor/cli.js`;
}

/** What the book says to type, from the user to the start. */
function installCommands(): string {
  const commands = document('ecosystem.md').fenced('bash');
  const first = commands.findIndex((line) => line.startsWith('sudo useradd'));
  const last = commands.findIndex((line) => line.startsWith('sudo systemctl enable'));
  expect(first).toBeGreaterThan(-1);
  return commands.slice(first, last + 1).join(' && ');
}
