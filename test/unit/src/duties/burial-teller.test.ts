import { afterEach, expect, test } from 'vitest';
import { createBurialTeller } from '../../../../src/duties/burial-teller.js';
import { outcomeOfErrorCode, outcomeOfStatus, type DeliveryOutcome } from '../../../../src/domain/delivery-outcome.js';
import type { UntoldQueue } from '../../../../src/queue/background-queue.js';
import type { Life } from '../../../../src/shared/life.js';
import { DELIVERED, FAILED, REFUSED, UNREGISTERED } from '../../../support/main-server/scripted-main-server.js';
import { recordedLog } from '../../../support/recorded-log.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

const duties: Life[] = [];
afterEach(() => Promise.all(duties.splice(0).map((duty) => duty.stop())));

type Answer = DeliveryOutcome | undefined | 'none';

/** Burials that are due at once, or again a second later, and a main server that answers each PUT as the test says. */
function fleet(burials: number, answers: readonly Answer[], timeoutMs = 30_000) {
  const clock = new VirtualClock();
  const log = recordedLog();
  const untold = new Map(Array.from({ length: burials }, (_, at) => [`m${at}`, 0]));
  const ended: string[] = [];
  const holds: number[] = [];
  const puts: { id: string; at: number; budgetMs: number }[] = [];
  const looks: number[] = [];
  const latest: (number | undefined)[] = [];
  const redis = { aheadMs: 0 };
  const pause = { isOver: true };
  const places = { most: Infinity };
  const queue: UntoldQueue = {
    isReady: () => true,
    async takeUntold(limit, holdMs, now) {
      looks.push(clock.now());
      latest.push(now && now - clock.wallNow());
      holds.push(holdMs);
      const due = [...untold].filter(([, at]) => at <= clock.now()).slice(0, limit);
      for (const [id] of due) untold.set(id, clock.now() + holdMs);
      const about = { attemptCount: 3, errorMessage: 'Max attempts exceeded', line: '', score: '' };
      return {
        taken: due.map(([messageId]) => ({ messageId, ...about })),
        nextDueMs: undefined,
        redisNow: clock.wallNow() + redis.aheadMs,
      };
    },
    async endTelling({ messageId }, ending) {
      ended.push(`${messageId} ${ending}`);
      if (ending === 'told') untold.delete(messageId);
      else untold.set(messageId, clock.now() + 1_000);
    },
  };
  const duty = createBurialTeller({
    queue,
    tell: async ({ messageId }, deadline, signal) => {
      puts.push({ id: messageId, at: clock.now(), budgetMs: deadline.leftMs });
      const answer = answers[Math.min(puts.length, answers.length) - 1];
      if (answer !== 'none') return answer;
      await clock.sleep(1e9, signal);
      return { kind: 'aborted' };
    },
    places: () => places.most,
    mayTell: async () => pause.isOver,
    timeoutMs,
    clock,
    random: () => 0.5,
    log,
  });
  duties.push(duty);
  return { clock, log, untold, ended, holds, puts, looks, latest, redis, pause, places, duty };
}

test.each([
  ['taken', DELIVERED],
  ['unknown to the main server', UNREGISTERED],
  ['refused by the main server', outcomeOfStatus(422, '')],
])('a burial is told once: %s', async (_, outcome) => {
  const { clock, duty, ended, puts, log } = fleet(1, [outcome]);
  void duty.start();
  await clock.advance(120_000);
  expect(puts).toHaveLength(1);
  expect(ended).toEqual(['m0 told']);
  expect(log.lines).toEqual(['INFO Told the main server that message m0 failed']);
});

test.each([
  ['an error', FAILED, 'again'],
  ['429', outcomeOfStatus(429, ''), 'again'],
  ['408', outcomeOfStatus(408, ''), 'again'],
  ['a redirect', outcomeOfStatus(302, ''), 'again'],
  ['nobody', REFUSED, 'again'],
  ['a PUT of which nobody knows what became', { ...REFUSED, fateUnknown: true } as DeliveryOutcome, 'open'],
  ['a copy of it that is in hand', undefined, 'again'],
])('after %s it is told again', async (_, outcome, ending) => {
  const { clock, duty, ended } = fleet(1, [outcome, DELIVERED]);
  void duty.start();
  await clock.advance(120_000);
  expect(ended).toEqual([`m0 ${ending}`, 'm0 told']);
});

test('a main server that cannot be reached is asked less and less, up to once a minute', async () => {
  const { clock, duty, puts } = fleet(1, [REFUSED]);
  void duty.start();
  await clock.advance(300_000);
  const gaps = puts.slice(1).map(({ at }, index) => Math.round((at - puts[index]!.at) / 1_000));
  expect(gaps.slice(0, 7)).toEqual([2, 4, 8, 16, 32, 60, 60]);
});

test('no more are taken than have a place: what waits would keep deliveries from theirs', async () => {
  const { clock, duty, puts, places, ended } = fleet(5, ['none']);
  places.most = 1;
  void duty.start();
  await clock.advance(500);
  await clock.settle();
  expect([puts.length, ended.length]).toEqual([1, 0]);
  places.most = 0;
});

test('many are told eight at a time without a pause between', async () => {
  const { clock, duty, puts, untold } = fleet(1_000, [DELIVERED]);
  void duty.start();
  await clock.advance(500);
  for (let round = 0; round < 100 && untold.size > 0; round += 1) await clock.settle();
  expect(untold.size).toBe(0);
  expect(puts).toHaveLength(1_000);
});

test('each is withheld from others for longer than its PUT can last', async () => {
  for (const timeoutMs of [1_000, 30_000, 300_000]) {
    const { clock, duty, puts, holds } = fleet(1, [FAILED], timeoutMs);
    void duty.start();
    await clock.advance(100);
    expect(puts[0]!.budgetMs).toBe(Math.min(timeoutMs, 10_000));
    expect(holds[0]! - puts[0]!.budgetMs).toBe(5_000);
  }
});

test('a stop cuts what is under way, which stays withheld until its time is over', async () => {
  const { clock, duty, ended, puts } = fleet(1, ['none']);
  void duty.start();
  await clock.advance(100);
  expect(puts).toHaveLength(1);
  await duty.stop();
  expect(ended).toEqual([]);
});

test('while nothing is to be told it looks once a second', async () => {
  const { clock, duty, looks } = fleet(0, [outcomeOfErrorCode('ECONNREFUSED', '')]);
  void duty.start();
  await clock.advance(60_000);
  expect(looks.length).toBeGreaterThanOrEqual(59);
  expect(looks.length).toBeLessThanOrEqual(62);
});

test('while deliveries are paused nothing is told, and nothing taken', async () => {
  const { clock, duty, pause, looks, puts } = fleet(1, [DELIVERED]);
  pause.isOver = false;
  void duty.start();
  await clock.advance(60_000);
  expect(looks).toEqual([]);
  pause.isOver = true;
  await clock.advance(1_500);
  expect(puts).toHaveLength(1);
});

test('when the clock of Redis is set ahead, what is due goes by the old one for as long as a telling may last', async () => {
  const { clock, duty, latest, redis } = fleet(0, [DELIVERED]);
  void duty.start();
  await clock.advance(5_000);
  redis.aheadMs = 3_600_000;
  await clock.advance(1_500);
  const looked = latest.length;
  await clock.advance(13_000);
  const held = latest.slice(looked);
  expect(held.length).toBeGreaterThan(10);
  expect(held.every((ms) => ms !== undefined && ms <= 1_000)).toBe(true);
  await clock.advance(4_000);
  expect(latest.at(-1)).toBeGreaterThanOrEqual(3_600_000);
});
