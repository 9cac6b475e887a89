/** One word for the whole, and why: for `status`, the dashboard and the log. Pure. */
import { concernsOf } from '../judgement/concerns.js';
import type { NextStep, Verdict } from '../status-events.js';
import type { StatusFacts } from '../status-document.js';

/** `stopped` = not ready; `degraded` = ready, and yet something is wrong. In the sentences of /ready and /health. */
export function verdictOf(status: StatusFacts): Verdict {
  const concerns = concernsOf(status).filter(({ level }) => level !== 'note');
  const stops = concerns.some(({ level }) => level === 'stops');
  const steps = concerns.flatMap(({ advice }) =>
    advice?.command ? [{ what: advice.text, type: advice.command }] : [],
  );
  return {
    state: stops ? 'stopped' : concerns.length > 0 ? 'degraded' : 'flowing',
    reasons: concerns.map(({ text }) => text),
    next_steps: [...steps, ...deadLetters(status)],
  };
}

/** For the history: nothing can be delivered, though the supervisor is neither coming nor going. */
export function isStandingStill(status: StatusFacts): boolean {
  const { state } = status.supervisor;
  return (state === 'running' || state === 'reloading') && concernsOf(status).some(({ level }) => level === 'stops');
}

function deadLetters({ queue }: StatusFacts): NextStep[] {
  if ((queue.dead ?? 0) === 0) return [];
  return [{ what: 'Look at the dead letters.', type: 'message-broker-worker dead list' }];
}
