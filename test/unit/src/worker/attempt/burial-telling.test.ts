import { expect, test } from 'vitest';
import type { DeliveryOutcome } from '../../../../../src/domain/delivery-outcome.js';
import { Deadline, momentOf } from '../../../../../src/shared/time/deadline.js';
import { burialTelling } from '../../../../../src/worker/attempt/burial-telling.js';
import { Copies } from '../../../../../src/worker/attempt/copies.js';
import { StatusPlaces } from '../../../../../src/worker/loop/status-places.js';
import { DELIVERED } from '../../../../support/main-server/scripted-main-server.js';
import { VirtualClock } from '../../../../support/virtual-clock.js';

const BURIAL = { messageId: 'm', attemptCount: 3, errorMessage: 'HTTP 500', line: '', score: '' };

/** One place, which another PUT has until `free` is called. */
function telling() {
  const clock = new VirtualClock();
  const [copies, places, pause] = [new Copies(), new StatusPlaces(), { isOpen: true }];
  const puts: string[] = [];
  const server = {
    updateStatus: async (id: string): Promise<DeliveryOutcome> => (puts.push(id), DELIVERED),
  };
  places.hasRoom = (sending) => sending < 1;
  places.ask({ isWanted: () => true, begin: () => undefined });
  const stopped = new AbortController();
  const deadline = new Deadline(1_000, clock, momentOf(clock));
  const told = burialTelling({ server, copies, places, pause })(BURIAL, deadline, stopped.signal);
  return { clock, copies, places, pause, puts, stopped, told, free: () => places.release() };
}

test('it waits for its place, and gives it back', async () => {
  const { places, puts, told, free } = telling();
  expect([puts.length, places.wanted]).toEqual([0, 2]);
  free();
  expect(await told).toBe(DELIVERED);
  expect([puts, places.wanted]).toEqual([['m'], 0]);
});

test.each<[string, (given: ReturnType<typeof telling>) => unknown]>([
  ['a pause', ({ pause }) => (pause.isOpen = false)],
  ['its deadline', ({ clock }) => clock.advance(1_001)],
  ['a stop', ({ stopped }) => stopped.abort()],
])('%s while it waits: nothing is told, and neither its message nor a place is kept', async (_, happens) => {
  const given = telling();
  await happens(given);
  given.free();
  expect(await given.told).toBeUndefined();
  expect([given.puts, given.places.wanted]).toEqual([[], 0]);
  expect(given.copies.take('m')).toBe(true);
});
