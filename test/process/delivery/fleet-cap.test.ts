import { expect, test } from 'vitest';
import { useInstallation } from '../../support/program/fleet.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { waitFor } from '../../support/wait-for.js';

expectNoLeftovers();
const installation = useInstallation();
const { ledger, start } = installation;
const CAP = 10;

/** The most requests that were at the main server at one time; one whose client is gone, killed or at its deadline, is over. */
function mostInFlight(): number {
  const requests = [...installation.server.ledger.exchanges.values()].flat();
  const steps = requests.flatMap(({ startMs, endMs, goneMs }) => [
    { at: startMs, by: 1 },
    { at: goneMs ?? endMs ?? Infinity, by: -1 },
  ]);
  steps.sort((one, other) => one.at - other.at || one.by - other.by);
  let [now, most] = [0, 0];
  for (const { by } of steps) most = Math.max(most, (now += by));
  return most;
}

test('the fleet never has more in flight than its cap, over a reload and over the death of a worker', async () => {
  installation.server.faults.post.delayMs = 150;
  const fleet = await start({ WORKER_COUNT: 3, WORKER_CONCURRENCY: 16, MAIN_SERVER_MAX_IN_FLIGHT: CAP });
  await ledger.produce(1_200);
  const [first] = await fleet.ready(3);
  await waitFor(() => mostInFlight() === CAP, { what: 'the cap to be used' });
  fleet.program.signal('SIGHUP');
  await fleet.program.waitForLine(/Reload finished/);
  expect(mostInFlight()).toBe(CAP);
  const [, victim] = await fleet.ready(3);
  expect(victim?.pid).not.toBe(first?.pid);
  process.kill(victim!.pid!, 'SIGKILL');
  await fleet.until('its restart', ({ workers }) => workers.some(({ restarts }) => restarts > 0));
  const account = await ledger.quiet();
  expect(account).toMatchObject({ lost: [], misplaced: [] });
  expect(mostInFlight()).toBe(CAP);
  expect(account.duplicates).toBeLessThanOrEqual(16);
});

test('the cap holds for POSTs and status PUTs together, where half of the attempts fail', async () => {
  const { faults } = installation.server;
  Object.assign(faults.post, { delayMs: 30, failFirst: 1, failStatus: 500 });
  faults.put.delayMs = 30;
  // long enough for each PUT to go in time: when one is cut, the server learns of it after what comes in its place
  const settings = { WORKER_COUNT: 3, WORKER_CONCURRENCY: 16, WORKER_RETRY_INTERVAL: 10 };
  const fleet = await start({ ...settings, MAIN_SERVER_MAX_IN_FLIGHT: CAP });
  await fleet.ready(3);
  await ledger.produce(600);
  expect(await ledger.quiet()).toMatchObject({ lost: [], misplaced: [], duplicates: 0 });
  expect(mostInFlight()).toBe(CAP);
  expect(installation.server.ledger.puts).toBeGreaterThan(200);
});

test('a worker beyond the cap claims nothing, says why, and is well', async () => {
  const fleet = await start({ WORKER_COUNT: 3, MAIN_SERVER_MAX_IN_FLIGHT: 2 });
  const status = await fleet.until('one to be held', ({ workers }) => workers.some(({ held_by: by }) => by !== null));
  const held = status.workers.find(({ held_by: by }) => by === 'fleet_cap')!;
  expect(held).toMatchObject({ consuming: true });
  await fleet.ready(3);
  await fleet.program.waitForLine(/Claiming nothing: MAIN_SERVER_MAX_IN_FLIGHT is 2, 3 workers share it/);
  const warned = /worker-\d claims nothing: fleet cap: MAIN_SERVER_MAX_IN_FLIGHT leaves nothing/;
  const ready = await waitFor(
    async () => {
      const page = JSON.parse(await fleet.get('/ready')) as { readonly ready: boolean; readonly warnings: string[] };
      return warned.test(page.warnings.join()) && page;
    },
    { what: 'the warning' },
  );
  expect(ready).toMatchObject({ ready: true });
  await ledger.produce(30);
  expect(await ledger.quiet()).toMatchObject({ lost: [], misplaced: [], duplicates: 0 });
});
