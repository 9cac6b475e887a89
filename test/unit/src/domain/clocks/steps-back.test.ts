import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RedisClock } from '../../../../../src/domain/clocks/redis-clock.js';
import { StepsBack, type SetBack } from '../../../../../src/domain/clocks/steps-back.js';

const INTERVAL_MS = 30_000;
const START = Date.UTC(2025, 0, 15);

interface Retry {
  readonly dueAt: number;
  score: number;
  intervalMs: number;
}

/** As parts/retry-head.lua does it. */
function putOffBy({ score, intervalMs }: Retry, setBack: readonly SetBack[]): number {
  return setBack.find(({ before }) => score - intervalMs < before)?.byMs ?? 0;
}

/** As retime.lua does it. */
function setRight(retry: Retry, redisNow: number, backMs: number, setBackBefore: readonly SetBack[]): void {
  if (retry.score <= redisNow + retry.intervalMs) return;
  retry.score -= backMs + putOffBy(retry, setBackBefore);
  retry.intervalMs = retry.score - redisNow;
}

test('however many steps back there are within an interval, every retry is due at its time', () => {
  // never a multiple of the time between two looks: what began in the very ms that a step leads to may be from both sides
  const byMs = fc.integer({ min: 1, max: 58 }).map((times) => times * 500 + 1);
  const step = fc.record({ afterLooks: fc.integer({ min: 1, max: 40 }), byMs });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
      const back = new StepsBack();
      const waiting = new Set<Retry>();
      let [at, backMs] = [0, 0];
      const lookOn = (looks: number) => {
        for (let left = looks; left > 0; left -= 1, at += 500) {
          const redisNow = START + at - backMs;
          const setBack = back.at(at);
          const due = [...waiting].filter((retry) => retry.score - putOffBy(retry, setBack) <= redisNow);
          expect(due).toEqual([...waiting].filter(({ dueAt }) => dueAt <= at));
          for (const retry of due) waiting.delete(retry);
          waiting.add({ dueAt: at + INTERVAL_MS, score: redisNow + INTERVAL_MS, intervalMs: INTERVAL_MS });
        }
      };
      for (const { afterLooks, byMs } of steps) {
        lookOn(afterLooks);
        backMs += byMs;
        const to = START + at - backMs;
        const setBackBefore = back.at(at);
        for (const retry of waiting) setRight(retry, to, byMs, setBackBefore);
        back.add({ to, byMs, until: at + INTERVAL_MS });
      }
      lookOn(INTERVAL_MS / 500 + 1);
      expect(back.at(at)).toEqual([]);
    }),
  );
});

/** One of several, who sees the steps at its own looks, half a second apart at most. */
class Promoter {
  readonly #clock = new RedisClock(INTERVAL_MS);
  readonly #back = new StepsBack();

  /** The retries that it takes for due. */
  look(at: number, redisNow: number, waiting: ReadonlySet<Retry>): Retry[] {
    const isNews = redisNow < (this.#clock.earliest(at) ?? 0);
    const setBack = this.#back.at(at);
    const due = [...waiting].filter((retry) => retry.score - (isNews ? 0 : putOffBy(retry, setBack)) <= redisNow);
    const step = this.#clock.heard({ sentAt: at, heardAt: at, redisNow });
    if (!step) return due;
    for (const retry of waiting) if (!due.includes(retry)) setRight(retry, redisNow, -step.byMs, setBack);
    this.#back.add({ to: redisNow - step.withinMs, byMs: -step.byMs, until: at + INTERVAL_MS });
    return due;
  }
}

test('of several promoters none takes a retry early, though each sees a step later than others do', () => {
  const step = fc.record({
    afterTicks: fc.integer({ min: 12, max: 100 }),
    byMs: fc.integer({ min: 501, max: 29_000 }),
  });
  const pauses = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 7, maxLength: 7 });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), pauses, (steps, everyTicks) => {
      const promoters = [new Promoter(), new Promoter(), new Promoter()];
      const waiting = new Set<Retry>();
      let [tick, backMs, looks] = [0, 0, 0];
      const next = promoters.map(() => 0);
      const goOn = (ticks: number) => {
        for (let left = ticks; left > 0; left -= 1, tick += 1) {
          const at = tick * 50;
          const redisNow = START + at - backMs;
          for (const [number, promoter] of promoters.entries()) {
            if (tick < (next[number] ?? 0)) continue;
            next[number] = tick + (everyTicks[looks++ % everyTicks.length] ?? 1);
            const due = promoter.look(at, redisNow, waiting);
            expect(due.filter(({ dueAt }) => dueAt > at)).toEqual([]);
            for (const retry of due) waiting.delete(retry);
          }
          if (tick % 5 === 0)
            waiting.add({ dueAt: at + INTERVAL_MS, score: redisNow + INTERVAL_MS, intervalMs: INTERVAL_MS });
        }
      };
      for (const { afterTicks, byMs } of steps) {
        goOn(afterTicks);
        backMs += byMs;
      }
      goOn(INTERVAL_MS / 50);
    }),
    { numRuns: 30 },
  );
});

test('after a longer step nothing is told of those before it', () => {
  const back = new StepsBack();
  back.add({ to: START, byMs: 1_000, until: 30_000 });
  expect(back.at(0)).toEqual([{ before: START, byMs: 1_000 }]);
  back.clear();
  expect(back.at(0)).toEqual([]);
});
