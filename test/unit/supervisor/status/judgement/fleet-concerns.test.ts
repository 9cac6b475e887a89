import { expect, test } from 'vitest';
import { healthOf } from '../../../../../supervisor/status/documents/health.js';
import { readinessOf } from '../../../../../supervisor/status/documents/readiness.js';
import { judged } from '../../../../../supervisor/status/judgement/judged.js';
import { Onsets } from '../../../../../supervisor/status/judgement/onsets.js';
import type { FleetStatus, StatusFacts } from '../../../../../supervisor/status/status-document.js';
import { factsOf } from './facts.js';

const lost = (host: string, seconds: number): FleetStatus['missing'][number] => ({
  ...{ host, instance: '9099', last_seen_at: '2026-11-26T10:00:00Z', silent_seconds: seconds },
});
const factsWith = (...missing: FleetStatus['missing'][number][]): StatusFacts => ({
  ...factsOf([{}]),
  fleet: { alive: 1, vanished: missing.length, stopped: 0, missing },
});

test('a host that vanished within the hour is the headline where nothing is worse, and no trouble of this host', () => {
  const facts = factsWith(lost('host-b\u202e', 20), lost('host-c', 3_599), lost('host-d', 3_600));
  const text = 'host host-b\\u202e/9099 has not been heard of since 2026-11-26T10:00:00Z, and 1 more';
  const { headline } = judged(facts, new Onsets(), 0);
  expect(headline).toMatchObject({ state: 'degraded', cause: 'host', text, further: [] });
  expect(headline.advice?.command).toBe('message-broker-worker fleet');
  expect(readinessOf(facts)).toMatchObject({ status: 200, body: { ready: true, reasons: [], warnings: [text] } });
  expect(healthOf(facts).body).toMatchObject({ status: 'healthy', reasons: [] });
});

test.each([
  ['one that is away for longer', factsWith(lost('host-b', 3_600))],
  ['nobody', factsWith()],
  ['what is not known', factsOf([{}])],
])('%s is no news', (_, facts) => {
  expect(judged(facts, new Onsets(), 0).headline).toMatchObject({ state: 'flowing', cause: null });
});
