import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FleetSeat, type ShareReport } from '../../../../src/domain/flow/fleet-share.js';
import { createFleetShareDuty } from '../../../../src/duties/fleet/fleet-share.js';
import { systemClock } from '../../../../src/shared/time/clock.js';
import { recordedLog } from '../../../support/recorded-log.js';
import { QUEUE } from '../../../support/redis/queue.js';
import { useRedis } from '../../../support/redis/redis.js';
import { ScriptedShares } from '../../../support/redis/scripted-shares.js';
import { waitFor } from '../../../support/wait-for.js';
import { useQueues } from '../queues.js';

const redis = useRedis();
const queueOf = useQueues(redis);
const SHARES = `{${QUEUE}}:shares`;
const report = (number: number, of: Partial<ShareReport> = {}): ShareReport => ({
  number,
  cap: 10,
  held: 0,
  takesPart: true,
  isNoted: number > 1,
  ...of,
});

/** A worker whose duty shares `cap`. */
async function sharing(workerId: string, cap: number) {
  const seat = new FleetSeat(cap);
  const queue = await queueOf(workerId, { fleet: seat });
  await queue.renewLease();
  const log = recordedLog();
  const duty = createFleetShareDuty({ queue, seat, cap, clock: systemClock, log });
  return { seat, queue, log, duty };
}

describe('shares of a cap', () => {
  test('the script does what the one in memory does, which is proved to keep the cap', async () => {
    const reports = fc.record({
      who: fc.nat(3),
      held: fc.nat(12),
      takesPart: fc.boolean(),
      cap: fc.constantFrom(5, 10),
      isLate: fc.boolean(),
      dies: fc.nat(9).map((chance) => chance === 0),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(reports, { maxLength: 30 }), async (all) => {
        await redis.client.flushall();
        const model = new ScriptedShares();
        const queues = await Promise.all([1, 2, 3, 4].map((number) => queueOf(`worker-${number}`)));
        for (const queue of queues) {
          await queue.renewLease();
          model.living.add(queue.consumer);
        }
        const numbers = [1, 1, 1, 1];
        for (const { who, dies, isLate, ...of } of all) {
          const queue = queues[who]!;
          const { consumer } = queue;
          numbers[who]! += isLate ? 0 : 1;
          const each = report(numbers[who]!, { ...of, isNoted: model.notes.has(consumer) });
          expect(await queue.takeShare(each)).toEqual(model.take(consumer, each, 0));
          if (!dies || !model.living.delete(consumer)) continue;
          await queue.background.recover(consumer, { evenIfLeased: true });
        }
        await Promise.all(queues.map((queue) => queue.stop()));
      }),
      { numRuns: 25 },
    );
  });

  test('after a loss of what is noted nobody takes more until all had the time to say what they use', async () => {
    const one = await queueOf();
    const other = await queueOf('worker-2');
    for (const each of [one, other]) await each.renewLease();
    expect(await one.takeShare(report(1))).toEqual({ limit: 10, share: 10, members: 1 });
    await redis.client.del(SHARES);
    expect(await one.takeShare(report(2, { held: 3 }))).toEqual({ limit: 3, share: 10, members: 1 });
    expect(await other.takeShare(report(1))).toMatchObject({ limit: 0, share: 5 });
    // a clock that was set back does not make it longer
    await redis.client.hset(SHARES, 'nobody takes more until', Date.now() + 3_600_000);
    expect(await other.takeShare(report(2))).toMatchObject({ limit: 5, share: 5 });
    expect(await redis.client.hkeys(SHARES)).toHaveLength(2);
  });

  test('the dead leave nothing behind, and neither does a fleet that is gone', async () => {
    const one = await queueOf();
    const other = await queueOf('worker-2');
    for (const each of [one, other]) await each.renewLease();
    await one.takeShare(report(1));
    await one.background.recover(one.consumer, { evenIfLeased: true });
    expect(await one.takeShare(report(2))).toBeUndefined();
    expect(await other.takeShare(report(1))).toEqual({ limit: 10, share: 10, members: 1 });
    expect(await redis.client.hkeys(SHARES)).toEqual([other.consumer]);
    expect(await redis.client.ttl(SHARES)).toBeGreaterThan(3_600);
    await other.takeShare(report(2, { takesPart: false }));
    expect(await redis.client.exists(SHARES)).toBe(0);
  });

  test('the duty gives up what another is to have, says once that nothing is left, and leaves at its end', async () => {
    const one = await sharing('worker-1', 1);
    await one.duty.start();
    await waitFor(() => one.seat.inFlightCap === 1, { what: 'the whole cap' });
    const other = await sharing('worker-2', 1);
    await other.duty.start();
    // rank 0 of 2 has nothing of 1: the one that came first gives it up
    await waitFor(() => other.seat.inFlightCap === 1, { what: 'its share' });
    expect(one.seat.inFlightCap).toBe(0);
    const said = 'WARNING Claiming nothing: MAIN_SERVER_MAX_IN_FLIGHT is 1, 2 workers share it';
    expect(one.log.lines).toEqual([expect.stringContaining(said)]);
    await other.duty.stop();
    await waitFor(() => one.seat.inFlightCap === 1, { what: 'its share again' });
    await waitFor(() => one.log.lines.length === 2, { what: 'a line' });
    expect(one.log.lines[1]).toBe('INFO Claiming again: its part of MAIN_SERVER_MAX_IN_FLIGHT is 1 of 1');
    await one.duty.stop();
    expect(await redis.client.exists(SHARES)).toBe(0);
  });
});
