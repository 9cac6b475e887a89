import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CircuitBreaker, type ProbeResult } from '../../../../../src/domain/flow/circuit-breaker.js';
import type { DeliveryOutcome } from '../../../../../src/domain/delivery-outcome.js';
import { aborted, attempt, delivered, notFound, refused, unavailable } from './breaker-outcomes.js';

/** A worker with a server that comes and goes; each step takes some time. */
type Step =
  | { readonly do: 'begin' }
  | { readonly do: 'end'; readonly which: number; readonly outcome: DeliveryOutcome }
  | { readonly do: 'probe'; readonly result: ProbeResult };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('begin' as const) }),
  fc.record({
    do: fc.constant('end' as const),
    which: fc.nat(),
    outcome: fc.constantFrom(refused, refused, unavailable, delivered, notFound, aborted),
  }),
  fc.record({
    do: fc.constant('probe' as const),
    result: fc.constantFrom<ProbeResult[]>('reachable', 'unhealthy', 'unreachable', 'unsupported'),
  }),
);

describe('whatever happens', () => {
  const steps = fc.array(fc.tuple(step, fc.nat({ max: 3000 })), { maxLength: 120 });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  it('claims nothing while open, one while half-open, and wants a probe within 5 s while open', () => {
    fc.assert(
      fc.property(steps, random, (script, chance) => {
        const subject = new CircuitBreaker({ threshold: 3, random: () => chance });
        const inFlight: number[] = [];
        let trials = 0;
        let now = 0;
        for (const [next, elapsed] of script) {
          now += elapsed;
          const before = subject.state;
          if (next.do === 'begin' && subject.allowance() !== 'none') {
            if (before === 'half-open') expect(++trials).toBe(1);
            inFlight.push(subject.begin());
          } else if (next.do === 'end' && inFlight.length > 0) {
            const [ended] = inFlight.splice(next.which % inFlight.length, 1);
            if (ended !== undefined) subject.record(ended, next.outcome, now);
          } else if (next.do === 'probe' && subject.probeDueInMs(now) === 0) subject.probed(next.result, now);
          if (subject.state !== 'half-open' || subject.allowance() === 'one') trials = 0;

          expect(before === 'open' && subject.state === 'closed').toBe(false);
          const due = subject.probeDueInMs(now);
          if (subject.state === 'open') {
            expect(subject.allowance()).toBe('none');
            expect(due).toBeGreaterThanOrEqual(0);
            expect(due).toBeLessThanOrEqual(5000);
          } else expect(due).toBeUndefined();
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('gets back to full rate with one probe and one trial', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const subject = new CircuitBreaker({ threshold: 2, random: () => 0.3 });
        const inFlight: number[] = [];
        for (const [next] of script) {
          if (next.do === 'begin' && subject.allowance() !== 'none') inFlight.push(subject.begin());
          else if (next.do === 'end') inFlight.splice(0, 1).forEach((each) => subject.record(each, next.outcome, 0));
          else if (next.do === 'probe') subject.probed(next.result, 0);
        }
        for (const each of inFlight) subject.record(each, aborted, 0);
        if (subject.state === 'open') subject.probed('reachable', 1);
        if (subject.state === 'half-open') attempt(subject, delivered, 2);
        expect(subject.allowance()).toBe('all');
      }),
      { numRuns: 1000 },
    );
  });
});
