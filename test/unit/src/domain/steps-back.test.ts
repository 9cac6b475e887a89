import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StepsBack, type SetBack } from '../../../../src/domain/steps-back.js';

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
          for (const retry of waiting) {
            const due = retry.score - putOffBy(retry, back.at(at)) <= redisNow;
            expect({ retry, at, due }).toEqual({ retry, at, due: at >= retry.dueAt });
            if (due) waiting.delete(retry);
          }
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

test('after a longer step nothing is told of those before it', () => {
  const back = new StepsBack();
  back.add({ to: START, byMs: 1_000, until: 30_000 });
  expect(back.at(0)).toEqual([{ before: START, byMs: 1_000 }]);
  back.clear();
  expect(back.at(0)).toEqual([]);
});
