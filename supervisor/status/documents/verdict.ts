/** One word for the whole, and why: for `status`, the dashboard and the log. Pure. */
import type { NextStep, Verdict } from '../status-events.js';
import { healthOf } from './health.js';
import { readinessOf } from './readiness.js';
import type { StatusDocument } from '../status-document.js';

/** `stopped` = not ready; `degraded` = ready, and yet something is wrong. In the sentences of /ready and /health. */
export function verdictOf(status: StatusDocument): Verdict {
  const ready = readinessOf(status);
  const reasons = [...new Set([...ready.body.reasons, ...healthOf(status).body.reasons])];
  const state = ready.status !== 200 ? 'stopped' : reasons.length > 0 ? 'degraded' : 'flowing';
  return { state, reasons, next_steps: nextSteps(status) };
}

/** What to type, the most urgent first. */
function nextSteps({ supervisor, workers, queue }: StatusDocument): NextStep[] {
  const steps: NextStep[] = [];
  const breakerOpen = workers.some(({ breaker }) => breaker === 'open' || breaker === 'half-open');
  if (!queue.redis_up || breakerOpen) {
    const what = !queue.redis_up ? 'Redis' : 'the main server';
    steps.push({ what: `see what is wrong with ${what}`, type: 'message-broker-worker check' });
  }
  if (queue.paused !== null) {
    steps.push({ what: 'have deliveries go on', type: 'message-broker-worker resume' });
  }
  if (supervisor.last_reload?.ok === false) {
    steps.push({ what: 'reload again once it is mended', type: 'message-broker-worker reload' });
  }
  if (workers.some(({ state, reasons }) => state === 'backoff' || (state === 'starting' && reasons.length > 0))) {
    steps.push({ what: 'see why a worker ended', type: 'tail -n 50 logs/worker.log' });
  }
  if ((queue.dead ?? 0) > 0) {
    steps.push({ what: 'look at the dead letters', type: 'message-broker-worker dead list' });
  }
  return steps;
}
