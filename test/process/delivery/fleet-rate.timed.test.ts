import { expect, test } from 'vitest';
import type { WorkerStatus } from '../../../supervisor/status/status-document.js';
import { useInstallation } from '../../support/program/fleet.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';

expectNoLeftovers();
const installation = useInstallation();
const { ledger, start } = installation;
const RATE = 50;
const MESSAGES = 800;

test('two supervisors together keep the rate in every ten seconds, and use it', async () => {
  const settings = { WORKER_COUNT: 2, WORKER_CONCURRENCY: 16, MAIN_SERVER_MAX_RATE: RATE };
  const fleets = await Promise.all([start(settings), start(settings)]);
  await Promise.all(fleets.map((fleet) => fleet.ready(2)));
  await ledger.produce(MESSAGES);
  const isHeld = ({ held_by: held, limited_by: limited }: WorkerStatus) => held === 'rate' && limited === 'rate';
  await fleets[0].until('the rate to hold a worker', ({ workers }) => workers.some(isHeld));
  expect(await ledger.quiet(60_000)).toMatchObject({ lost: [], misplaced: [], duplicates: 0 });
  const posts = [...installation.server.ledger.exchanges.values()].flat().map(({ startMs }) => startMs);
  posts.sort((one, other) => one - other);
  const inWindow = posts.map((from, at) => posts.slice(at).filter((start) => start < from + 10_000).length);
  expect(Math.max(...inWindow)).toBeLessThanOrEqual(11 * RATE);
  // all of it: with shares of a worker each, or tokens lost, it would take longer
  const seconds = (posts.at(-1)! - posts[0]!) / 1_000;
  expect(MESSAGES / seconds).toBeGreaterThan(0.95 * RATE);
  const ready = JSON.parse(await fleets[0].get('/ready')) as { readonly ready: boolean };
  expect(ready.ready).toBe(true);
});
