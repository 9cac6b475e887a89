import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { packageVersion } from '../../../src/shared/config/package-root.js';
import type { FleetDocument } from '../../../supervisor/admin/protocol.js';
import { useInstallation, type Fleet } from '../../support/program/fleet.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { startProgram } from '../../support/program/program.js';
import { waitFor } from '../../support/wait-for.js';
import { runCommand, type Ran } from '../fixtures/operated.js';

expectNoLeftovers();
const installation = useInstallation();
const { redis, start } = installation;

function command(cwd: string, ...args: string[]): Promise<Ran> {
  return runCommand(args, { env: { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) }, cwd });
}

async function fleetIn(cwd: string): Promise<FleetDocument> {
  const { out, err } = await command(cwd, 'fleet', '--json');
  expect(err).toBe('');
  return JSON.parse(out) as FleetDocument;
}

const answered = async (supervisor: Fleet) => JSON.parse(await supervisor.get('/fleet')) as FleetDocument;
const stateOf = ({ members }: FleetDocument, port: number) =>
  members.find(({ instance }) => instance === String(port))?.state;

test('of three supervisors one is killed and one stops: the third, the command and the metrics say so', async () => {
  // one after the other: what boots at once boots slowly
  const stays = await start({ WORKER_COUNT: 1 });
  await stays.ready(1);
  const killed = await start({ WORKER_COUNT: 1 });
  await killed.ready(1);
  const stopped = await start({ WORKER_COUNT: 1 });
  await stopped.ready(1);
  const all = await stays.until('all three', ({ fleet }) => fleet?.alive === 3);
  expect(all.fleet).toEqual({ alive: 3, vanished: 0, stopped: 0, missing: [] });
  await waitFor(async () => (await fleetIn(stays.cwd)).members.every(({ ready }) => ready), { what: 'all at work' });
  const before = await fleetIn(stays.cwd);
  expect(before).toMatchObject({ schema_version: 1, queue: 'message_queue', alive: 3 });
  expect(before.members.find(({ instance }) => instance === String(killed.port))).toMatchObject({
    ...{ host: hostname(), kind: 'supervisor', state: 'running', ready: true, reason: null },
    ...{ pid: killed.program.pid, version: packageVersion(), workers_ready: 1, workers_wanted: 1 },
  });

  killed.program.signal('SIGKILL');
  stopped.program.signal('SIGTERM');
  await stopped.program.waitForExit();
  expect(stateOf(await fleetIn(stays.cwd), stopped.port)).toBe('stopped');
  const after = await stays.until('one to have vanished', ({ fleet }) => fleet?.vanished === 1);
  expect(after.fleet).toMatchObject({ alive: 1, vanished: 1, stopped: 1 });
  expect(after.fleet?.missing).toMatchObject([{ host: hostname(), instance: String(killed.port) }]);
  const [told, shown] = [await answered(stays), await fleetIn(stays.cwd)];
  for (const fleet of [told, shown]) {
    expect(fleet.members.map(({ state }) => state)).toEqual(['running', 'vanished', 'stopped']);
    expect(stateOf(fleet, killed.port)).toBe('vanished');
  }
  expect(stays.logged()).toMatch(
    new RegExp(`WARNING .*${hostname()}/${killed.port} has not been heard of for 15 s: a supervisor .* of one worker`),
  );
  const { out } = await command(stays.cwd, 'fleet');
  expect(out).toMatch(/^queue message_queue: 1 alive, 1 vanished, 1 stopped\n\nHOST +INSTANCE +STATE +WORKERS /);
  expect(out).toMatch(new RegExp(`\n${hostname()} +${stays.port} +running +1/1 +0.0 +0.0 .*\\d+s ago`));
  const metrics = await stays.get('/metrics');
  expect(metrics).toContain('\nsupervisor_fleet_hosts{state="alive"} 1\n');
  expect(metrics).toContain('\nsupervisor_fleet_hosts{state="vanished"} 1\n');

  killed.startAgain();
  await stays.until('it to be back', ({ fleet }) => fleet?.alive === 2 && fleet.vanished === 0);
});

test('a worker without a supervisor is one of them', async () => {
  const supervisor = await start({ WORKER_COUNT: 1 });
  await supervisor.ready(1);
  const args = ['worker', '--worker-id', 'alone', '--metrics-port', String(supervisor.metricsPort + 3)];
  const alone = startProgram({ cwd: supervisor.cwd, env: {}, args });
  const itsWord = async () =>
    (await fleetIn(supervisor.cwd)).members.find(({ instance }) => instance === 'alone') ?? null;
  try {
    await alone.waitForLine(/Configuration: retry_interval/);
    await waitFor(async () => (await itsWord())?.ready === true, { what: 'its word' });
    expect(await itsWord()).toMatchObject({ kind: 'worker', state: 'running', workers_ready: 1, workers_wanted: 1 });
    alone.signal('SIGTERM');
    expect(await alone.waitForExit()).toEqual({ code: 0, signal: null });
  } finally {
    await alone.destroy();
  }
  expect(await itsWord()).toMatchObject({ state: 'stopped', ready: false, workers_ready: 0 });
});

test('where there is nobody, or no Redis, it says so', async () => {
  const supervisor = await start({ WORKER_COUNT: 1 });
  await supervisor.ready(1);
  const env = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port), REDIS_QUEUE_NAME: 'another' };
  const elsewhere = await runCommand(['fleet'], { env, cwd: supervisor.cwd });
  expect(elsewhere).toMatchObject({ code: 0, err: '' });
  expect(elsewhere.out).toBe('queue another: nobody says that it serves it. Python workers and version 1 never do.');
  const away = await command(supervisor.cwd, 'fleet', '--redis-port', '1');
  expect(away).toMatchObject({ code: 1, out: '' });
  expect(away.err).toMatch(/^ERROR: .*Redis/);
});
