import { NO_TRAFFIC } from '../../../supervisor/status/traffic-meter.js';
import { NO_ARRIVALS } from '../../../supervisor/status/arrivals-meter.js';
import { CountLedger } from '../../../supervisor/status/counts.js';
import { statusFacts } from '../../../supervisor/status/documents/status-builder.js';
import { judged } from '../../../supervisor/status/judgement/judged.js';
import { Onsets } from '../../../supervisor/status/judgement/onsets.js';
import type { StatusDocument } from '../../../supervisor/status/status-document.js';

/** The status of a supervisor that has just started. */
export function someStatus(): StatusDocument {
  const facts = statusFacts({
    now: 0,
    wallNow: 0,
    startedAt: 0,
    version: '1.0.0',
    state: 'running',
    workersWanted: 1,
    lastReload: undefined,
    reloads: { ok: 0, failed: 0 },
    reasons: [],
    failingDuties: [],
    slots: [],
    identity: (slot) => ({ workerId: `worker-${slot}`, metricsPort: 0 }),
    usage: () => undefined,
    queueName: 'message_queue',
    redisUp: true,
    queue: undefined,
    arrivals: NO_ARRIVALS,
    counts: new CountLedger(),
    traffic: NO_TRAFFIC,
    errors: [],
    fleet: undefined,
    evictionPolicy: undefined,
  });
  return judged(facts, new Onsets(), 0);
}
