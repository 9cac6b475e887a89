import { expect, test } from 'vitest';
import { crowded } from '../../../support/crowding.js';
import { useInstallation } from '../../../support/program/fleet.js';
import { expectNoLeftovers } from '../../../support/program/leftovers.js';
import { waitFor } from '../../../support/wait-for.js';
import { keepBusy } from '../../fixtures/load.js';

expectNoLeftovers();
const installation = useInstallation();
const { ledger, start } = installation;
/** The promise, and what the pauses of the load may add to one gap. */
const LONGEST_GAP_MS = 250 + 250;

test('SIGHUP under load with one worker pauses claiming for less than 250 ms', async () => {
  const fleet = await start({ WORKER_COUNT: 1 });
  await fleet.ready(1);
  const load = keepBusy(ledger);
  await waitFor(() => installation.server.ledger.delivered.size > 20, { what: 'load' });
  fleet.program.signal('SIGHUP');
  const handOver = await fleet.program.waitForLine(/Reload finished/).then(() => postGaps());
  await load.stop();
  expect(Math.max(...handOver)).toBeLessThan(crowded(LONGEST_GAP_MS));
  expect(await ledger.quiet()).toMatchObject({ lost: [], misplaced: [], duplicates: 0 });
});

/** Between one POST and the next, in ms. */
function postGaps(): number[] {
  const starts = [...installation.server.ledger.exchanges.values()].flat().map(({ startMs }) => startMs);
  starts.sort((a, b) => a - b);
  return starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
}
