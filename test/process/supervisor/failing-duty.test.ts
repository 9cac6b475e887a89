import { expect, test, vi } from 'vitest';
import { redisKeys } from '../../../src/queue/keys.js';
import type { ReadinessDocument } from '../../../supervisor/status/status-document.js';
import { useInstallation } from '../../support/program/fleet.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { waitFor } from '../../support/wait-for.js';

vi.setConfig({ testTimeout: 120_000 });
expectNoLeftovers();
const installation = useInstallation();
const { ledger, start } = installation;

const FAILING = /the retry scheduler has failed for more than 10 s: .*WRONGTYPE/;

const STANDING_STILL = /the retry scheduler has failed for more than 30 s: .*WRONGTYPE/;

test('a duty that fails is one ERROR after 10 s and a warning of /ready, after 30 s in every worker a reason not to be ready, and its return is said', async () => {
  const { redis, server } = installation;
  const { retry } = redisKeys('message_queue');
  const fleet = await start({ WORKER_COUNT: 1 });
  await fleet.ready(1);
  await redis.client.set(retry, 'no sorted set');
  await fleet.program.waitForLine(/ERROR - .*The retry scheduler has failed for more than 10 s: .*WRONGTYPE/);
  const ready = async () => JSON.parse(await fleet.get('/ready')) as ReadinessDocument;
  await waitFor(async () => (await ready()).warnings.some((warning) => FAILING.test(warning)), { what: 'the warning' });
  expect((await ready()).ready).toBe(true);
  await ledger.produce(5);
  await waitFor(() => server.ledger.delivered.size === 5, { what: 'delivery' });
  await waitFor(async () => (await ready()).reasons.some((reason) => STANDING_STILL.test(reason)), {
    what: 'the reason',
  });
  expect((await ready()).ready).toBe(false);
  await redis.client.del(retry);
  await fleet.program.waitForLine(/INFO - .*The retry scheduler works again after \d+ s/);
  await waitFor(async () => (await ready()).ready && (await ready()).warnings.length === 0, { what: 'the end of it' });
  expect(fleet.logged().match(/The retry scheduler has failed for more than/g)).toHaveLength(1);
  expect(await ledger.quiet()).toMatchObject({ delivered: 5, lost: [] });
});
