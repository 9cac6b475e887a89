import { mkdtemp, rm } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeCertificates } from '../../../support/main-server/pki.js';
import type { StatusDocument } from '../../../../supervisor/status/status-document.js';
import { useInstallation, type Fleet } from '../../../support/program/fleet.js';
import { expectNoLeftovers } from '../../../support/program/leftovers.js';
import { repeat, waitFor, type Repetition } from '../../../support/wait-for.js';
import { keepBusy } from '../../fixtures/load.js';

expectNoLeftovers();
const installation = useInstallation();
const { ledger, start } = installation;

describe('SIGHUP under load', () => {
  test('changes concurrency without a failed delivery, at least N-1 workers at work', async () => {
    const { server } = installation;
    // a limit of its own making would stay below 5 where the main server has too little of the processor
    const control = { WORKER_CONCURRENCY_CONTROL: 'fixed' };
    const fleet = await start({ ...control, WORKER_COUNT: 3, WORKER_CONCURRENCY: 2 });
    await fleet.ready(3);
    server.faults.post.delayMs = 20;
    const load = keepBusy(ledger);
    const samples = watchCapacity(fleet);
    fleet.configure({ ...control, WORKER_COUNT: 3, WORKER_CONCURRENCY: 5 });
    fleet.program.signal('SIGHUP');
    await fleet.program.waitForLine(/Reload finished/);
    await samples.stop();
    await load.stop();
    expect(await ledger.quiet()).toMatchObject({ lost: [], misplaced: [], duplicates: 0 });
    expect(fleet.logged().match(/max_attempts=10000, concurrency=5/g)).toHaveLength(3);
    expect(samples.lowest()).toBeGreaterThanOrEqual(2);
    expect(failedAttempts(fleet)).toEqual([]);
    expect(await mostAtOnce()).toBe(15);
  });

  test('changes the certificate without a failed delivery', async () => {
    const { server, certificates } = installation;
    const fleet = await start({ WORKER_COUNT: 2 });
    await fleet.ready(2);
    const directory = await mkdtemp(join(tmpdir(), 'rotated-'));
    const { authority } = certificates.files;
    fleet.useCertificate(await makeCertificates({ directory, authority, workerName: 'rotated' }));
    const load = keepBusy(ledger);
    await waitFor(() => server.ledger.delivered.size > 20, { what: 'load' });
    expect(new Set(server.clients)).toEqual(new Set(['worker']));
    fleet.program.signal('SIGHUP');
    await fleet.program.waitForLine(/Reload finished/);
    const before = server.clients.length;
    await waitFor(() => server.clients.includes('rotated'), { what: 'the new certificate' });
    await load.stop();
    expect(await ledger.quiet()).toMatchObject({ lost: [], misplaced: [], duplicates: 0 });
    expect(server.clients.slice(before).every((name) => name === 'rotated')).toBe(true);
    expect(failedAttempts(fleet)).toEqual([]);
    await rm(directory, { recursive: true });
  });
});

describe('SIGHUP with', () => {
  const broken: readonly (readonly [what: string, spoil: (fleet: Fleet) => void, why: RegExp])[] = [
    [
      'a broken .env',
      (fleet) => fleet.configure({ WORKER_COUNT: 2, WORKER_CONCURRENCY: 'many', WORKER_RETRY_INTERVAL: '-1' }),
      /Reload failed: .*WORKER_CONCURRENCY.*many/,
    ],
    [
      'a broken config.yaml',
      (fleet) => {
        fleet.configure({ WORKER_COUNT: 2, WORKER_CONFIG: 'broken.yaml' });
        writeFileSync(join(fleet.cwd, 'broken.yaml'), 'worker:\n  concurency: 4\n');
      },
      /Reload failed: .*concurency/,
    ],
    [
      'a broken certificate',
      (fleet) => writeFileSync(join(fleet.cwd, 'certs', 'worker.crt'), '-----BEGIN CERTIFICATE-----\nMIIB'),
      /Reload failed: .*certs\/worker\.crt/,
    ],
    [
      'a Redis that is not there',
      (fleet) => fleet.configure({ WORKER_COUNT: 2, REDIS_PORT: 1 }),
      /Reload failed: .*Redis at 127\.0\.0\.1:1 /,
    ],
  ];

  test.each(broken)('%s keeps the old set at work and says why', async (_what, spoil, why) => {
    const fleet = await start({ WORKER_COUNT: 2 });
    const before = await fleet.ready(2);
    const load = keepBusy(ledger);
    spoil(fleet);
    fleet.program.signal('SIGHUP');
    await fleet.program.waitForLine(why);
    const { workers, supervisor } = await fleet.until(
      'the end of the reload',
      ({ supervisor: { state } }) => state === 'running',
    );
    expect(workers.map(({ pid, state }) => ({ pid, state }))).toEqual(
      before.map(({ pid }) => ({ pid, state: 'ready' })),
    );
    expect(supervisor.last_reload).toMatchObject({ ok: false });
    await load.stop();
    expect(await ledger.quiet()).toMatchObject({ lost: [], misplaced: [], duplicates: 0 });
    expect(failedAttempts(fleet)).toEqual([]);
  });
});

test('ten SIGHUPs within a second are one reload', async () => {
  const fleet = await start({ WORKER_COUNT: 2 });
  const before = await fleet.ready(2);
  for (let count = 0; count < 10; count++) fleet.program.signal('SIGHUP');
  await fleet.program.waitForLine(/Reload finished/);
  const after = await fleet.ready(2);
  expect(after.map(({ pid }) => before.some((worker) => worker.pid === pid))).toEqual([false, false]);
  // one that was asked for meanwhile begins a second later
  const finishedAt = (await fleet.status()).supervisor.uptime_seconds;
  await fleet.until('two more seconds of it', ({ supervisor }) => supervisor.uptime_seconds > finishedAt + 2);
  expect(fleet.program.lines.filter(({ text }) => text.includes('Reloading the configuration'))).toHaveLength(1);
});

function watchCapacity(fleet: Fleet): Repetition & { lowest(): number } {
  const counts: number[] = [];
  const consuming = ({ workers }: StatusDocument) => workers.filter((worker) => worker.consuming).length;
  const watch = repeat(async () => void counts.push(consuming(await fleet.status())), 10);
  return { ...watch, lowest: () => Math.min(...counts) };
}

function failedAttempts(fleet: Fleet): string[] {
  return fleet
    .logged()
    .split('\n')
    .filter((line) => /delivery failed|were not ours any more|Handing \d+ unfinished/.test(line));
}

/** Slow POSTs for everything: how many are open at once. */
async function mostAtOnce(): Promise<number> {
  const { server } = installation;
  server.faults.post.hang = true;
  const before = server.ledger.posts;
  await ledger.produce(40);
  let most = 0;
  await waitFor(
    async () => {
      most = server.ledger.posts - before;
      return most >= 15 && (await ledger.snapshot()).processing.length === most;
    },
    { what: 'all slots to be taken' },
  );
  return most;
}
